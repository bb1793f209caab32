import { describe, expect, test } from 'vitest'
import { neededOperations } from '../../../src/commands/doctor/checked-topics.ts'
import type { Finding, State } from '../../../src/commands/doctor/finding.ts'
import {
  judgeBrokers,
  judgeInternalTopics,
  judgeKafkaSettings,
  judgeKeptOffsets,
  judgeTransactions,
} from '../../../src/commands/doctor/judge-brokers.ts'
import { judgeKafkaClock } from '../../../src/commands/doctor/judge-clocks.ts'
import { judgeInstanceIds } from '../../../src/commands/doctor/judge-instance-ids.ts'
import { judgePermissions } from '../../../src/commands/doctor/judge-permissions.ts'
import { judgeTopics } from '../../../src/commands/doctor/judge-topics.ts'
import type { KafkaFacts, Settings, TopicFacts } from '../../../src/log/kafka/inspect/kafka-facts.ts'
import {
  BROKER_SETTINGS,
  CHECKED,
  CHECKED_AFTER_PROMOTION,
  kafkaFacts,
  topicFacts,
  withTopic,
} from './facts.ts'

function judgeAll(facts: KafkaFacts): Finding[] {
  return [
    ...judgeBrokers(facts),
    judgeKafkaSettings(facts, { sessionTimeoutMs: 30_000 }),
    judgeTransactions(facts),
    judgeKeptOffsets(facts),
    judgeInternalTopics(facts),
    judgeInstanceIds(facts, 'scorer-1-0.0.0.0-8080'),
    ...judgePermissions(facts, neededOperations(CHECKED), 'upswell-default'),
    ...judgeTopics(facts, CHECKED),
    judgeKafkaClock(facts),
  ]
}

test('a healthy cluster has only checks that are ok', () => {
  expect(judgeAll(kafkaFacts()).filter(({ state }) => state !== 'ok')).toEqual([])
})

test('without an answer of any broker, brokers are a problem and everything else is not checked', () => {
  const none = { reason: 'no broker answers' }
  const found = judgeAll({
    brokers: [{ address: 'b1:9092', nodeId: undefined, connected: { reason: 'ECONNREFUSED' } }],
    topics: none,
    clusterOperations: undefined,
    brokerSettings: new Map(),
    authorizer: none,
    mayWriteTransactions: none,
    groups: [['upswell-score', none]],
    clocks: none,
  })
  expect(found.filter(({ state }) => state !== 'not checked').map(({ check }) => check)).toEqual(['brokers'])
  expect(found).toHaveLength(judgeAll(kafkaFacts()).length)
})

const settings = (changed: Settings) =>
  kafkaFacts({ brokerSettings: new Map([[1, { value: { ...BROKER_SETTINGS, ...changed } }]]) })
const topic = (name: string, changed: Settings) => withTopic(topicFacts(name, changed))
const part = (name: string, parts: Partial<TopicFacts>) => withTopic(topicFacts(name, {}, 2, parts))
const partition = (leader: number, replicas: number[], inSync: number[]) =>
  part('signals', { partitions: [0, 1].map(number => ({ partition: number, leader, replicas, inSync })) })
const broker = (release: string | undefined, missingRequests: string[] = []) =>
  kafkaFacts({
    brokers: [
      { address: 'b1:9092', nodeId: 1, connected: { value: { versions: {}, release, missingRequests } } },
    ],
  })
const group = (operations: string[] | undefined) =>
  kafkaFacts({
    groups: [
      ['upswell-score', { value: { group: 'upswell-score', state: 'Stable', members: [], operations } }],
    ],
  })
const members = (...each: readonly (readonly [instanceId: string | undefined, host: string])[]) => {
  const own = each.map(([instanceId, host]) => ({ instanceId, host }))
  const value = { group: 'upswell-score', state: 'Stable', members: own, operations: ['READ'] }
  return kafkaFacts({ groups: [['upswell-score', { value }]] })
}
const clock = (aheadMs: number) => kafkaFacts({ clocks: { value: [{ partition: 0, aheadMs, at: 0 }] } })

const CASES: readonly [check: string, what: string, facts: KafkaFacts, state: State, found: RegExp][] = [
  [
    'brokers',
    'a broker that the cluster has lost',
    kafkaFacts({ brokers: kafkaFacts().brokers.slice(0, 2) }),
    'problem',
    /2 of 2 addresses answer: .*; the cluster has lost broker 3/,
  ],
  [
    'brokers',
    'a broker away',
    kafkaFacts({ brokers: [{ address: 'b2:9092', nodeId: 2, connected: { reason: 'ECONNREFUSED' } }] }),
    'problem',
    /0 of 1 addresses answer: b2:9092 \(broker 2\) does not: ECONNREFUSED/,
  ],
  ['kafka-version', 'an old release', broker('3.1'), 'warning', /Kafka 3\.1/],
  ['kafka-version', 'a very old release', broker(undefined), 'warning', /older than 2\.4/],
  [
    'kafka-version',
    'a dropped request',
    broker('4.1', ['JoinGroup']),
    'problem',
    /no common version of JoinGroup/,
  ],
  [
    'kafka-settings',
    'automatic topics',
    settings({ 'auto.create.topics.enable': 'true' }),
    'warning',
    /enable is true/,
  ],
  [
    'kafka-settings',
    'short sessions only',
    settings({ 'group.max.session.timeout.ms': '20000' }),
    'problem',
    /UPSWELL_SESSION_TIMEOUT_MS is 30000/,
  ],
  [
    'kafka-settings',
    'hidden settings',
    kafkaFacts({ brokerSettings: new Map([[1, { reason: 'Not authorized' }]]) }),
    'not checked',
    /Not authorized/,
  ],
  [
    'transactions',
    'short transactions only',
    settings({ 'transaction.max.timeout.ms': '5000' }),
    'problem',
    /is 5000/,
  ],
  [
    'transactions',
    'ids that expire soon',
    settings({ 'transactional.id.expiration.ms': '3600000' }),
    'warning',
    /is 3600000/,
  ],
  [
    'transactions',
    'no such settings',
    settings({ 'transaction.max.timeout.ms': null }),
    'not checked',
    /do not show/,
  ],
  ['kept-offsets', 'a day', settings({ 'offsets.retention.minutes': '1440' }), 'warning', /1440 \(1 days\)/],
  [
    'internal-topics',
    'one replica',
    withTopic(
      topicFacts('__consumer_offsets', {}, 2, {
        partitions: [{ partition: 0, leader: 1, replicas: [1], inSync: [1] }],
      }),
    ),
    'warning',
    /__consumer_offsets has 1 replica,/,
  ],
  ['internal-topics', 'none yet', kafkaFacts({ topics: { value: [] } }), 'not checked', /first group/],
  [
    'instance-ids',
    'old brokers',
    kafkaFacts({
      brokers: [
        {
          address: 'b1:9092',
          nodeId: 1,
          connected: {
            value: {
              versions: { 11: { minVersion: 0, maxVersion: 4 } },
              release: undefined,
              missingRequests: [],
            },
          },
        },
      ],
    }),
    'warning',
    /^no static membership: b1:9092$/,
  ],
  [
    'instance-ids',
    'a member without one',
    members([undefined, '10.0.0.7']),
    'warning',
    /^upswell-score has no id \(10\.0\.0\.7\); here a process has scorer-1-0\.0\.0\.0-8080$/,
  ],
  [
    'instance-ids',
    'one host name on two machines',
    members(['pi-0.0.0.0-8080.thread-1', '10.0.0.7'], ['pi-0.0.0.0-8081', '10.0.0.8']),
    'warning',
    /^several machines have the host name pi;/,
  ],
  [
    'instance-ids',
    'two processes of one machine',
    members(['pi-0.0.0.0-8080', '10.0.0.7'], ['pi-0.0.0.0-8081', '10.0.0.7']),
    'ok',
    /^upswell-score has pi-0\.0\.0\.0-8080 \(10\.0\.0\.7\), pi-0/,
  ],
  ['authorizer', 'none', kafkaFacts({ authorizer: { value: 'none' } }), 'ok', /no authorizer/],
  ['authorizer', 'no answer', kafkaFacts({ authorizer: { reason: 'late' } }), 'not checked', /late/],
  [
    'topic-permissions',
    'no WRITE',
    part('pql-events', { operations: ['READ', 'DESCRIBE'] }),
    'problem',
    /WRITE on pql-events$/,
  ],
  [
    'topic-permissions',
    'no READ on a source',
    part('contracts', { operations: ['DESCRIBE'] }),
    'problem',
    /READ on contracts$/,
  ],
  [
    'topic-permissions',
    'a hidden topic',
    part('signals', { state: 'not visible', operations: undefined, partitions: [] }),
    'problem',
    /READ and WRITE on signals/,
  ],
  [
    'topic-permissions',
    'no answer',
    part('signals', { operations: undefined }),
    'not checked',
    /do not say what is allowed on signals/,
  ],
  ['group-permissions', 'no READ', group(['DESCRIBE']), 'problem', /upswell-score/],
  [
    'group-permissions',
    'a hidden group',
    kafkaFacts({ groups: [['upswell-score', { reason: 'Not authorized to access group' }]] }),
    'problem',
    /upswell-score/,
  ],
  ['group-permissions', 'no answer', group(undefined), 'not checked', /do not say/],
  [
    'transaction-permissions',
    'no WRITE',
    kafkaFacts({ mayWriteTransactions: { value: false } }),
    'problem',
    /upswell-default/,
  ],
  [
    'topics-there',
    'a missing topic',
    part('alerts', { state: 'missing', partitions: [] }),
    'problem',
    /missing: alerts$/,
  ],
  [
    'topics-there',
    'a hidden topic',
    part('alerts', { state: 'not visible', partitions: [] }),
    'problem',
    /do not show alerts/,
  ],
  [
    'topic-partitions',
    'more checkpoints',
    withTopic(topicFacts('activity-checkpoints', {}, 3)),
    'problem',
    /partitions of activity-checkpoints is 3/,
  ],
  [
    'topic-replicas',
    'no leader',
    partition(-1, [1, 2, 3], []),
    'problem',
    /no broker leads some partitions of signals/,
  ],
  ['topic-replicas', 'too few in sync', partition(1, [1, 2, 3], [1]), 'problem', /writes are refused/],
  [
    'topic-replicas',
    'one replica',
    part('signals', {
      partitions: [{ partition: 0, leader: 1, replicas: [1], inSync: [1] }],
      settings: { value: {} },
    }),
    'warning',
    /replicas of signals is 1/,
  ],
  ['topic-replicas', 'one replica away', partition(1, [1, 2, 3], [1, 2]), 'warning', /not in sync/],
  [
    'topic-replicas',
    'one must confirm',
    topic('signals', { 'min.insync.replicas': '1' }),
    'warning',
    /min\.insync\.replicas of signals/,
  ],
  [
    'topic-replicas',
    'all must confirm',
    topic('signals', { 'min.insync.replicas': '3' }),
    'warning',
    /min\.insync\.replicas of signals/,
  ],
  [
    'topic-retention',
    'a week',
    topic('signals', { 'retention.ms': '604800000' }),
    'problem',
    /retention\.ms of signals is 604800000/,
  ],
  [
    'topic-retention',
    'two years',
    topic('signals', { 'retention.ms': '63072000000' }),
    'warning',
    /63072000000/,
  ],
  [
    'topic-retention',
    'a size',
    topic('signals', { 'retention.bytes': '1000' }),
    'problem',
    /retention\.bytes of signals is 1000/,
  ],
  [
    'topic-retention',
    'sources of an hour',
    topic('contracts', { 'retention.ms': '3600000' }),
    'warning',
    /contracts/,
  ],
  [
    'topic-retention',
    'hidden settings',
    part('signals', { settings: { reason: 'refused' } }),
    'not checked',
    /settings of signals cannot be read: refused/,
  ],
  [
    'topic-cleanup',
    'a compacted log',
    topic('signals', { 'cleanup.policy': 'compact' }),
    'problem',
    /cleanup\.policy of signals is compact/,
  ],
  [
    'topic-cleanup',
    'deleted checkpoints',
    topic('activity-checkpoints', { 'cleanup.policy': 'compact,delete' }),
    'problem',
    /cleanup\.policy of activity-checkpoints is compact,delete/,
  ],
  [
    'topic-cleanup',
    'early compaction',
    topic('activity-checkpoints', { 'min.compaction.lag.ms': '0' }),
    'warning',
    /min\.compaction\.lag\.ms of activity-checkpoints is 0/,
  ],
  [
    'topic-times',
    'the time of appending',
    topic('signals', { 'message.timestamp.type': 'LogAppendTime' }),
    'problem',
    /LogAppendTime/,
  ],
  [
    'topic-times',
    'no future',
    topic('signals', { 'message.timestamp.after.max.ms': '1000' }),
    'problem',
    /is 1000$/,
  ],
  [
    'topic-times',
    'any future',
    topic('signals', { 'message.timestamp.after.max.ms': '9223372036854775807' }),
    'warning',
    /9223372036854775807/,
  ],
  [
    'topic-times',
    'no past',
    topic('signals', { 'message.timestamp.before.max.ms': '1000' }),
    'warning',
    /before\.max\.ms of signals is 1000/,
  ],
  [
    'topic-sizes',
    'small records',
    topic('signals', { 'max.message.bytes': '1000' }),
    'problem',
    /signals is 1000/,
  ],
  [
    'topic-sizes',
    'small dead letters',
    topic('dead-letter', { 'max.message.bytes': '1048588' }),
    'problem',
    /dead-letter is 1048588/,
  ],
  [
    'kafka-clock',
    'no transaction',
    kafkaFacts({ clocks: { value: [] } }),
    'not checked',
    /do not tell their time/,
  ],
  ['kafka-clock', 'two minutes ahead', clock(120_000), 'warning', /120 s ahead of/],
  ['kafka-clock', 'two hours behind', clock(-7_200_000), 'problem', /7200 s behind/],
]

describe('a check of Kafka', () => {
  test.each(CASES)('%s, with %s', (check, _, facts, state, found) => {
    const finding = judgeAll(facts).find(each => each.check === check)
    expect(finding).toMatchObject({ state, found: expect.stringMatching(found) })
    const hasAdvice = state === 'warning' || state === 'problem'
    expect([finding?.accepted !== undefined, finding?.advice !== undefined]).toEqual([hasAdvice, hasAdvice])
  })

  test('asks for an instance id if a process with these settings has none', () => {
    expect(judgeInstanceIds(kafkaFacts(), undefined)).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/; here a process has none$/),
      advice: expect.stringMatching(/^set UPSWELL_INSTANCE_ID/),
    })
  })

  test('compares UPSWELL_PARTITIONS with the log', () => {
    const checked = CHECKED.map(each => ({ ...each, partitions: 24 }))
    const finding = judgeTopics(kafkaFacts(), checked).find(({ check }) => check === 'topic-partitions')
    expect(finding).toMatchObject({
      state: 'problem',
      found: expect.stringMatching(/^partitions of signals is 2, /),
      advice: expect.stringContaining('set UPSWELL_PARTITIONS=2 to keep it'),
    })
  })

  test('lets a promoted lineage have more partitions than the first one', () => {
    const healthy = kafkaFacts()
    const judge = (checkpoints: number) =>
      judgeTopics(
        {
          ...healthy,
          topics: {
            value: [
              ...('value' in healthy.topics ? healthy.topics.value : []),
              topicFacts('v2.signals', {}, 8),
              topicFacts('v2.activity-checkpoints', {}, checkpoints),
            ],
          },
        },
        CHECKED_AFTER_PROMOTION,
      ).find(({ check }) => check === 'topic-partitions')
    expect(judge(8)?.state).toBe('ok')
    expect(judge(4)).toMatchObject({
      state: 'problem',
      found: 'partitions of v2.activity-checkpoints is 4',
      accepted: '8',
    })
  })
})
