import { describe, expect, test } from 'vitest'
import type { Finding, State } from '../../../src/commands/doctor/finding.ts'
import { leftOverTopics } from '../../../src/commands/doctor/gather-log.ts'
import { judgeRedisClock } from '../../../src/commands/doctor/judge-clocks.ts'
import { judgeActiveModels, judgeModelNames } from '../../../src/commands/doctor/judge-models.ts'
import {
  judgeFolder,
  judgeMemory,
  judgeModelFiles,
  judgeNode,
} from '../../../src/commands/doctor/judge-process.ts'
import { judgeRedis } from '../../../src/commands/doctor/judge-redis.ts'
import {
  type GroupPosition,
  judgeBeginning,
  judgeDeadLetters,
  judgeGroup,
  judgePosition,
  judgeReplays,
  judgeStorePartitions,
  type PartitionPosition,
} from '../../../src/commands/doctor/judge-store.ts'
import { redisFacts } from './facts.ts'

const MIB = 1024 * 1024

const memory = (settingMib: number, containerMib: number, heapMib: number, threads = 1) =>
  judgeMemory({
    settingMib,
    containerBytes: containerMib * MIB,
    machineBytes: 65_536 * MIB,
    heapBytes: heapMib * MIB,
    threads,
  })

const FOLDER = {
  path: '/data',
  isStarted: true,
  dataBytes: 4096 * MIB,
  freeBytes: 100_000 * MIB,
  failure: undefined,
  isConsumed: true,
}
const folder = (check: string, changed: object) =>
  judgeFolder({ ...FOLDER, ...changed }).find(each => each.check === check)!

const redis = (check: string, info: Record<string, string>, parts = {}) =>
  judgeRedis(redisFacts(info, parts)).find(each => each.check === check)!

const MODELS = ['growth@2']
const models = (changed: object) =>
  judgeActiveModels(MODELS, [
    { partition: 3, active: MODELS, areActive: true, edited: undefined, ...changed },
  ])

const POSITION: PartitionPosition = {
  partition: 3,
  first: 0,
  end: 100,
  committed: 99,
  stored: 99,
  checkpoint: undefined,
}
const store = (changed: object, claimed: number | undefined = 1) => ({
  topic: 'signals',
  positions: [{ ...POSITION, ...changed }],
  claimed,
})

const MEMBER = { instanceId: 'scorer-1', host: '10.0.0.7' }
const group = (state: string, changed: Partial<GroupPosition> = {}) =>
  judgeGroup('score-group', {
    group: 'upswell-score',
    facts: {
      value: {
        group: 'upswell-score',
        state,
        members: state === 'Stable' ? [MEMBER, MEMBER] : [],
        operations: [],
      },
    },
    lag: 0,
    lost: [],
    hasCommitted: true,
    ...changed,
  })
const ingest = (lag: number) =>
  judgeGroup('ingest-group', {
    group: 'upswell-ingest',
    facts: { value: { group: 'upswell-ingest', state: 'Dead', members: [], operations: [] } },
    lag,
    lost: [],
    hasCommitted: false,
  })

const replay = (changed: object) =>
  judgeReplays([{ name: 'v2', state: 'shadow', left: 7, isRunning: true, ...changed }], [])

const CASES: readonly [what: string, finding: Finding, state: State, found: RegExp][] = [
  ['Node.js that is accepted', judgeNode('v20.19.0'), 'ok', /v20\.19\.0/],
  ['a newer Node.js', judgeNode('v24.1.0'), 'ok', /v24/],
  ['an older minor version of Node.js', judgeNode('v20.18.1'), 'problem', /v20\.18\.1/],
  ['an older Node.js', judgeNode('v18.20.0'), 'problem', /v18/],
  [
    'a container that counts',
    memory(0, 1280, 640),
    'ok',
    /^a process has 1\.3 GiB \(the container's limit\), and it holds up to 160\.0 MiB of accounts, 32\.0 MiB of brokers' answers and 64\.0 MiB for requests$/,
  ],
  [
    'threads that share the memory',
    memory(0, 1280, 640, 4),
    'ok',
    /160\.0 MiB of accounts.*shared by 4 threads$/,
  ],
  [
    'a setting beyond the container',
    memory(2048, 1024, 1024),
    'warning',
    /^UPSWELL_MEMORY_MB is 2048, but the container's limit allows 1024 MiB.*a process has 1\.0 GiB/,
  ],
  [
    'a setting beyond the heap',
    memory(2048, 4096, 512),
    'warning',
    /^UPSWELL_MEMORY_MB is 2048, but the limit of Node's heap allows 1024 MiB/,
  ],
  ['a container that is too small', memory(0, 128, 64), 'problem', /is 128 MiB, but a process needs 256 MiB/],
  ['valid models', judgeModelFiles(['growth 1'], undefined), 'ok', /growth 1/],
  [
    'models that cannot be used',
    judgeModelFiles([], 'a.yaml:1:1: no\nb.yaml:2:1: no'),
    'problem',
    /no, b\.yaml/,
  ],
  ['a folder with data', folder('folder', {}), 'ok', /4\.0 GiB/],
  ['a folder without data', folder('folder', { isStarted: false }), 'ok', /holds no data/],
  ['a folder of something else', folder('folder', { failure: 'no LMDB' }), 'problem', /no LMDB/],
  ['space for a replay', folder('folder-space', {}), 'ok', /free/],
  ['little space', folder('folder-space', { freeBytes: 5000 * MIB }), 'warning', /4\.9 GiB free/],
  ['space that nobody knows', folder('folder-space', { freeBytes: undefined }), 'not checked', /did not say/],
  ['a process in the folder', folder('folder-process', {}), 'ok', /a process scores/],
  ['no process in the folder', folder('folder-process', { isConsumed: false }), 'ok', /no process/],
  [
    'a process that nobody can see',
    folder('folder-process', { failure: 'x' }),
    'not checked',
    /cannot be opened/,
  ],
  [
    'a Redis that does not answer',
    redis(
      'redis',
      {},
      { info: { reason: 'x' }, settings: { reason: 'x' }, refused: { reason: 'ECONNREFUSED' } },
    ),
    'problem',
    /ECONNREFUSED/,
  ],
  ['an old Redis', redis('redis', { redis_version: '5.0.14' }), 'warning', /5\.0\.14/],
  [
    'an INFO that is refused',
    redis('redis-memory', {}, { info: { reason: 'NOPERM' } }),
    'not checked',
    /NOPERM/,
  ],
  [
    'a replica',
    redis('redis-role', { role: 'slave', master_host: 'r1', master_port: '6379' }),
    'problem',
    /replica of r1:6379/,
  ],
  ['a cluster', redis('redis-role', { redis_mode: 'cluster' }), 'problem', /Cluster/],
  [
    'an eviction policy',
    redis('redis-eviction', { maxmemory_policy: 'allkeys-lru' }),
    'problem',
    /allkeys-lru/,
  ],
  [
    'a policy that only INFO names',
    redis('redis-eviction', { maxmemory_policy: 'volatile-lru' }, { settings: { reason: 'NOPERM' } }),
    'problem',
    /volatile-lru/,
  ],
  [
    'a policy that nobody names',
    redis('redis-eviction', {}, { settings: { reason: 'NOPERM' }, info: { reason: 'NOPERM' } }),
    'not checked',
    /neither/,
  ],
  ['no maxmemory', redis('redis-memory', { maxmemory: '0' }), 'warning', /maxmemory is not set/],
  [
    'memory that is nearly full',
    redis('redis-memory', { used_memory: '860000000' }),
    'warning',
    /of 1\.0 GiB used/,
  ],
  ['full memory', redis('redis-memory', { used_memory: '1070000000' }), 'problem', /of 1\.0 GiB used/],
  [
    'a snapshot that failed',
    redis('redis-persistence', { rdb_last_bgsave_status: 'err' }),
    'problem',
    /rdb_last_bgsave_status is err/,
  ],
  ['data that are loading', redis('redis-persistence', { loading: '1' }), 'warning', /loading/],
  ['no persistence', redis('redis-persistence', { aof_enabled: '0' }), 'ok', /filled|fill it again/],
  [
    'a refused command',
    redis('redis-permissions', {}, { refused: { value: [{ command: 'UNLINK', why: 'NOPERM' }] } }),
    'problem',
    /UNLINK \(NOPERM\)/,
  ],
  [
    'a refused transaction',
    redis('redis-permissions', {}, { refused: { reason: 'NOPERM multi' } }),
    'not checked',
    /NOPERM multi/,
  ],
  ['equal clocks', judgeRedisClock(redisFacts()), 'ok', /3 ms ahead of/],
  [
    'clocks that differ a little',
    judgeRedisClock(redisFacts({}, { aheadMs: { value: -20_000 } })),
    'warning',
    /20 s behind/,
  ],
  [
    'clocks that differ',
    judgeRedisClock(redisFacts({}, { aheadMs: { value: 61_000 } })),
    'problem',
    /61 s ahead of/,
  ],
  [
    'a clock that nobody can read',
    judgeRedisClock(redisFacts({}, { aheadMs: { reason: 'NOPERM' } })),
    'not checked',
    /NOPERM/,
  ],
  ['active models', models({}), 'ok', /growth@2 in 1 partitions/],
  ['no scorer yet', judgeActiveModels(MODELS, []), 'warning', /no scorer has worked/],
  [
    'other models in the log',
    models({ areActive: false, active: ['growth@1'] }),
    'warning',
    /partitions 3 have growth@1/,
  ],
  [
    'an edited model',
    models({ areActive: false, edited: 'found version 2 with other content' }),
    'problem',
    /other content/,
  ],
  [
    'names that accounts have',
    judgeModelNames({ accounts: 9, isSample: true, neverSeen: [] }),
    'ok',
    /9 accounts/,
  ],
  [
    'names that no account has',
    judgeModelNames({ accounts: 9, isSample: false, neverSeen: ['usage:a'] }),
    'warning',
    /usage:a/,
  ],
  [
    'no accounts',
    judgeModelNames({ accounts: 0, isSample: false, neverSeen: [] }),
    'not checked',
    /no accounts/,
  ],
  ['a whole log', judgeBeginning(store({})), 'ok', /first record/],
  [
    'a cut log with a checkpoint',
    judgeBeginning(store({ first: 50, checkpoint: 60 })),
    'warning',
    /checkpoints cover/,
  ],
  [
    'a cut log with an old checkpoint',
    judgeBeginning(store({ first: 50, checkpoint: 40 })),
    'problem',
    /no checkpoint covers them in 3/,
  ],
  ['a cut log without a checkpoint', judgeBeginning(store({ first: 50 })), 'problem', /partitions 3/],
  ['as many partitions', judgeStorePartitions(store({})), 'ok', /1 in signals and in the store/],
  ['an empty store', judgeStorePartitions({ ...store({}), claimed: undefined }), 'ok', /store is empty/],
  ['other partitions', judgeStorePartitions(store({}, 4)), 'problem', /made with 4/],
  ['a store that is up to date', judgePosition(store({})), 'ok', /^0 scored records/],
  [
    'a store far behind',
    judgePosition(store({ end: 500_000, committed: 500_000, stored: 0 })),
    'warning',
    /500000 scored records/,
  ],
  ['a store ahead of the log', judgePosition(store({ stored: 101 })), 'problem', /more than signals/],
  [
    'a store ahead of the group',
    judgePosition(store({ committed: undefined })),
    'warning',
    /lost or moved back/,
  ],
  ['a group that works', group('Stable'), 'ok', /Stable with 2 members, 0 records behind/],
  ['a group far behind', group('Stable', { lag: 2_000_000 }), 'warning', /2000000 records behind/],
  ['a group without members', group('Empty'), 'warning', /Empty with 0 members/],
  ['a group that waits', group('PreparingRebalance'), 'warning', /PreparingRebalance/],
  ['a group that lost records', group('Stable', { lost: ['signals/3'] }), 'problem', /signals\/3/],
  ['a group that nobody can describe', group('Stable', { facts: { reason: 'late' } }), 'not checked', /late/],
  ['no ingest, and empty sources', ingest(0), 'ok', /never read anything/],
  ['no ingest, and waiting records', ingest(5), 'warning', /5 records behind/],
  [
    'no dead letters',
    judgeDeadLetters('dead-letter', { offsets: 0, newest: undefined, reasons: [] }),
    'ok',
    /holds none/,
  ],
  [
    'dead letters',
    judgeDeadLetters('dead-letter', {
      offsets: 13,
      newest: { reason: 'not-json', at: 0 },
      reasons: [
        ['wrong-partition', 8],
        ['not-json', 3],
        ['blank', 1],
        ['too-long', 1],
      ],
    }),
    'warning',
    /up to 13; .*1970.* is not-json; among the latest: 8 wrong-partition, 3 not-json, 1 blank and 1 more$/,
  ],
  ['no replays', judgeReplays([], []), 'ok', /none/],
  ['a replay that runs', replay({}), 'ok', /v2 \(shadow\)/],
  ['a promoted replay', replay({ state: 'serves', isRunning: false }), 'ok', /v2 \(serves\)/],
  ['a forgotten replay', replay({ isRunning: false }), 'warning', /no process works on v2, 7 records/],
  ['topics of a dropped replay', judgeReplays([], ['v2.alerts']), 'warning', /v2\.alerts/],
]

describe('a check', () => {
  test.each(CASES)('of %s', (_, finding, state, found) => {
    expect(finding).toMatchObject({ state, found: expect.stringMatching(found) })
    const hasAdvice = state === 'warning' || state === 'problem'
    expect([finding.accepted !== undefined, finding.advice !== undefined]).toEqual([hasAdvice, hasAdvice])
  })
})

test('a healthy Redis has only checks that are ok', () => {
  expect(judgeRedis(redisFacts()).map(({ state }) => state)).toEqual(Array(6).fill('ok'))
})

test('the topics of a replay count as left over only when its log is gone', () => {
  const topics = [
    'p.signals',
    'p.alerts',
    'p.v2.alerts',
    'p.v3.alerts',
    'p.v3.signals',
    'p.v2.other',
    'q.alerts',
  ]
  expect(leftOverTopics(topics, 'p.')).toEqual(['p.v2.alerts'])
})
