import { describe, expect, test } from 'vitest'
import { type FoundTopic, topicDifferences } from '../../src/log/topic-differences.ts'
import { TOPIC_ROLES, type TopicRole, topicNames } from '../../src/log/topic-names.ts'
import { FARTHEST_TIMESTAMP, topicsOfInstallation, type WantedTopic } from '../../src/log/topic-settings.ts'

const PARTITIONS = 4
const BROKERS = 3
/** What a broker says of a topic for which nobody set anything. */
const BROKER_DEFAULTS = {
  'cleanup.policy': 'delete',
  'retention.ms': '604800000',
  'retention.bytes': '-1',
  'min.insync.replicas': '2',
  'message.timestamp.type': 'CreateTime',
  [FARTHEST_TIMESTAMP]: '9223372036854775807',
  'max.message.bytes': '1048588',
  'min.compaction.lag.ms': '0',
}

function wantedOf(role: TopicRole, replicationFactor?: number): WantedTopic {
  return topicsOfInstallation(topicNames(''), PARTITIONS, replicationFactor).find(
    topic => topic.role === role,
  )!
}

/** The topic as `upswell topics create` makes it, with some changes. */
function foundOf(role: TopicRole, changes: Partial<FoundTopic> = {}): FoundTopic {
  const { name, partitions, config } = wantedOf(role)
  return { name, partitions, replicationFactor: 3, config: { ...BROKER_DEFAULTS, ...config }, ...changes }
}

function withSetting(role: TopicRole, setting: string, value: string): FoundTopic {
  const found = foundOf(role)
  return { ...found, config: { ...found.config, [setting]: value } }
}

const compare = (role: TopicRole, found: FoundTopic): string[] =>
  topicDifferences([wantedOf(role)], [found], BROKERS).map(
    ({ severity, setting, found, accepted }) => `${severity}: ${setting} ${found}, not ${accepted}`,
  )

describe('a topic that exists', () => {
  test.each(TOPIC_ROLES)('differs in nothing if upswell created it: %s', role => {
    expect(compare(role, foundOf(role))).toEqual([])
  })

  test.each([
    ['signals', 'error'],
    ['activity-checkpoints', 'error'],
    ['product-usage', 'warning'],
    ['pql-events', 'warning'],
    ['dead-letter', 'warning'],
  ] as const)('%s with another number of partitions is an %s', (role, severity) => {
    expect(compare(role, foundOf(role, { partitions: 8 }))).toEqual([`${severity}: partitions 8, not 4`])
  })

  test.each([
    ['signals', 'cleanup.policy', 'compact', 'error'],
    ['signals', 'cleanup.policy', 'compact,delete', 'error'],
    ['account-scores', 'cleanup.policy', 'delete', 'error'],
    ['activity-checkpoints', 'cleanup.policy', 'compact,delete', 'error'],
    ['pql-events', 'cleanup.policy', 'compact', 'error'],
    ['signals', 'message.timestamp.type', 'LogAppendTime', 'error'],
    ['signals', 'retention.ms', '3600000', 'error'],
    ['signals', 'retention.ms', '604800000', 'error'],
    ['signals', 'retention.ms', '63072000000', 'warning'],
    ['signals', 'retention.bytes', '1000000', 'error'],
    ['signals', FARTHEST_TIMESTAMP, '60000', 'error'],
    ['signals', 'message.timestamp.before.max.ms', '1000', 'warning'],
    ['signals', 'max.message.bytes', '1000', 'error'],
    ['signals', FARTHEST_TIMESTAMP, '9223372036854775807', 'warning'],
    ['dead-letter', 'max.message.bytes', '1048588', 'error'],
    ['activity-checkpoints', 'min.compaction.lag.ms', '0', 'warning'],
    ['product-usage', 'min.insync.replicas', '1', 'warning'],
    ['product-usage', 'min.insync.replicas', '3', 'warning'],
    ['signals', 'min.insync.replicas', '4', 'error'],
    ['product-usage', 'retention.ms', '3600000', 'warning'],
    ['product-usage', 'cleanup.policy', 'compact', 'warning'],
  ] as const)('%s with %s=%s is reported: %s', (role, setting, value, severity) => {
    expect(compare(role, withSetting(role, setting, value))).toEqual([
      expect.stringMatching(`^${severity}: ${setting} ${value}, not `),
    ])
  })

  test.each([
    ['product-usage', 'retention.ms', '86400000'],
    ['product-usage', 'retention.bytes', '1000000'],
    ['product-usage', 'max.message.bytes', '1000'],
    ['pql-events', 'retention.ms', '86400000'],
    ['dead-letter', 'retention.ms', '86400000'],
    ['signals', FARTHEST_TIMESTAMP, '600000'],
    ['signals', 'message.timestamp.before.max.ms', '9223372036854775807'],
    ['dead-letter', 'max.message.bytes', '209715200'],
  ] as const)('%s may have %s=%s', (role, setting, value) => {
    expect(compare(role, withSetting(role, setting, value))).toEqual([])
  })

  test('without a setting that old brokers do not know is not reported', () => {
    const { [FARTHEST_TIMESTAMP]: _, ...older } = foundOf('signals').config!
    expect(compare('signals', foundOf('signals', { config: older }))).toEqual([])
  })

  test('with fewer replicas than were asked for is an error', () => {
    const config = { ...foundOf('signals').config, 'min.insync.replicas': '1' }
    const found = foundOf('signals', { replicationFactor: 2, config })
    expect(topicDifferences([wantedOf('signals', 3)], [found], BROKERS)).toMatchObject([
      { setting: 'replicas', found: '2', accepted: '3 or more', severity: 'error' },
    ])
    expect(topicDifferences([wantedOf('signals', 2)], [found], BROKERS)).toEqual([])
  })

  test('with one replica is a warning if there are more brokers', () => {
    const config = { ...foundOf('signals').config, 'min.insync.replicas': '1' }
    const found = foundOf('signals', { replicationFactor: 1, config })
    expect(topicDifferences([wantedOf('signals')], [found], 3)).toMatchObject([
      { setting: 'replicas', severity: 'warning' },
    ])
    expect(topicDifferences([wantedOf('signals')], [found], 1)).toEqual([])
  })

  test('with two of three possible replicas is a warning', () => {
    const config = { ...foundOf('signals').config, 'min.insync.replicas': '1' }
    const found = foundOf('signals', { replicationFactor: 2, config })
    expect(topicDifferences([wantedOf('signals')], [found], 3)).toMatchObject([
      { setting: 'replicas', accepted: '3 or more', severity: 'warning' },
    ])
    expect(topicDifferences([wantedOf('signals')], [found], 2)).toEqual([])
  })

  test('for dead letters must take twice the largest record of a source', () => {
    const both = (bytes: string) =>
      topicDifferences(
        [wantedOf('contracts'), wantedOf('dead-letter')],
        [
          withSetting('contracts', 'max.message.bytes', '60000000'),
          withSetting('dead-letter', 'max.message.bytes', bytes),
        ],
        BROKERS,
      )
    expect(both('119999999')).toMatchObject([
      { topic: 'dead-letter', accepted: '120000000 or more', severity: 'error' },
    ])
    expect(both('120000000')).toEqual([])
  })

  test('for checkpoints must have as many partitions as the log', () => {
    const both = (log: number, checkpoints: number) =>
      topicDifferences(
        [wantedOf('signals'), wantedOf('activity-checkpoints')],
        [
          foundOf('signals', { partitions: log }),
          foundOf('activity-checkpoints', { partitions: checkpoints }),
        ],
        BROKERS,
      ).map(({ topic, found, accepted }) => `${topic} ${found}, not ${accepted}`)
    expect(both(8, 8)).toEqual(['signals 8, not 4'])
    expect(both(4, 8)).toEqual(['activity-checkpoints 8, not 4'])
    expect(both(8, 4)).toEqual(['signals 8, not 4', 'activity-checkpoints 4, not 8'])
  })

  test('whose settings this user may not read is compared as far as possible', () => {
    expect(compare('signals', foundOf('signals', { partitions: 8, config: undefined }))).toEqual([
      'error: partitions 8, not 4',
      'warning: settings unknown, not settings that can be read',
    ])
  })
})
