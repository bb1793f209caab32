import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { Replay } from '../../src/consumers/lineage/replay-record.ts'
import type { OutgoingRecord } from '../../src/log/log.ts'
import { replayRecord, tickRecord } from '../../src/log/signals-topic-records.ts'
import { buildCli, runCli } from './cli.ts'

const SETUP_TIMEOUT_MS = 240_000
/** The default settings. */
const PARTITIONS = 4
const MODEL = `id: seats
version: 2
name: Seats
score: { scale: 10, max: 100 }
features: { users: { distinctUsers: { within: 30d } } }
groups: { usage: { weight: 1, max: 10, rules: { users: { when: users >= 2, points: 10 } } } }
tiers: [{ name: cold, title: Cold, from: 0 }, { name: hot, title: Hot, from: 50 }]
`
const at = (day: string): number => Date.parse(`2026-${day}T12:00:00Z`)
/** When the replays were begun: long after the signals that they read. */
const BEGUN = Date.parse('2026-06-01T00:00:00Z')

let ids = 0
/** Events of the model `seats`: `cold hot` is a tier change, `grows qualified` a PQL event. */
function event(prefix: string, topic: string, day: string, accountId: string, what: string): OutgoingRecord {
  const [first, second] = what.split(' ') as [string, string]
  const common = {
    id: String(++ids),
    accountId,
    modelId: 'seats',
    modelVersion: prefix === '' ? 1 : 2,
    at: new Date(at(day)).toISOString(),
  }
  const score = (tier: string): number => (tier === 'hot' ? 80 : 10)
  const value =
    topic === 'tier-changes'
      ? { ...common, from: first, to: second, score: score(second), previousScore: score(first) }
      : { ...common, trigger: first, motion: 'seat-expansion', status: second }
  return { topic: prefix + topic, key: accountId, value: JSON.stringify(value), timestamp: at(day) }
}
const score = (prefix: string, day: string, accountId: string): OutgoingRecord => ({
  topic: `${prefix}account-scores`,
  key: accountId,
  value: '{}',
  timestamp: at(day),
})
function begin(name: string, parts: Partial<Replay>): OutgoingRecord[] {
  const origin = { topic: 'signals', partitions: PARTITIONS, namespace: 'default' }
  const replay: Replay = { name, origin, from: null, to: null, models: null, ...parts }
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    replayRecord(`${name}.signals`, partition, BEGUN, replay),
  )
}

/** acme is hot in both, later in the replay; beta only live, zeta only in the replay. */
const LIVE = [
  event('', 'tier-changes', '01-10', 'acme', 'cold hot'),
  event('', 'pql-events', '01-10', 'acme', 'grows qualified'),
  event('', 'tier-changes', '02-01', 'beta', 'cold hot'),
  event('', 'pql-events', '02-01', 'beta', 'grows held'),
  event('', 'tier-changes', '03-20', 'beta', 'hot cold'),
  event('', 'pql-events', '03-20', 'beta', 'grows disqualified'),
]
const replayed = (prefix: string): OutgoingRecord[] => [
  event(prefix, 'tier-changes', '01-12', 'acme', 'cold hot'),
  event(prefix, 'pql-events', '01-12', 'acme', 'grows qualified'),
  event(prefix, 'tier-changes', '02-20', 'zeta', 'cold hot'),
]
const SIGNAL = {
  id: 's-1',
  kind: 'usage',
  name: 'feature.a',
  accountId: 'acme',
  occurredAt: new Date(at('02-05')).toISOString(),
}

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-replay-diff-'))
  const backend = await openEmbeddedBackend({ directory: join(folder, 'data'), partitions: PARTITIONS })
  const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  await backend.log.append([
    ...LIVE,
    ...begin('v2', { to: at('03-01'), models: [{ file: 'seats.yaml', text: MODEL }] }),
    ...replayed('v2.'),
    // Follows the log; its newest output is a score.
    ...begin('follows', {}),
    ...replayed('follows.'),
    score('follows.', '03-02', 'acme'),
    // Equal to live, up to its end.
    ...begin('same', { from: at('01-05'), to: at('03-01') }),
    ...LIVE.slice(0, 4).map(record => ({ ...record, topic: `same.${record.topic}` })),
    ...begin('empty', {}),
    // Loaded history: live has not moved since its last signal.
    ...begin('beyond', { to: at('05-01') }),
    event('beyond.', 'tier-changes', '01-10', 'acme', 'cold hot'),
    event('beyond.', 'tier-changes', '04-10', 'acme', 'hot cold'),
    // Copied but not scored: one signal is older than the end of the replay, the other is not.
    ...begin('late', { to: at('03-01') }),
    { topic: 'late.signals', key: 'acme', value: JSON.stringify(SIGNAL), timestamp: at('02-05') },
    ...begin('through', { to: at('03-01') }),
    tickRecord('through.signals', 0, at('03-01'), tick),
    ...begin('foreign', {}),
    { topic: 'foreign.tier-changes', key: 'a', value: 'hello' },
    { topic: 'no-replay.signals', key: 'a', value: JSON.stringify(SIGNAL) },
  ])
  await backend.close()
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

const diff = (...args: string[]): ReturnType<typeof runCli> =>
  runCli(main, ['replay', 'diff', ...args], { env: { UPSWELL_DATA_DIR: join(folder, 'data') } })

async function diffJson(...args: string[]) {
  const { code, stdout, stderr } = await diff(...args, '--json')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

const iso = (day: string): string => new Date(at(day)).toISOString()

describe('upswell replay diff', { timeout: 60_000 }, () => {
  test('reports everything within the window of the replay as JSON', async () => {
    const { models, ...rest } = await diffJson('v2')
    expect(rest).toEqual({
      replay: 'v2',
      from: null,
      to: iso('03-01'),
      behind: false,
      onlyLive: [],
      onlyReplay: [],
    })
    expect(models).toHaveLength(1)
    const { periods, tiers, pqls, ...model } = models[0]
    expect(model).toEqual({
      modelId: 'seats',
      versions: { live: [1], replay: [2] },
      movedAccounts: [
        {
          accountId: 'zeta',
          tier: { live: 'cold', replay: 'hot' },
          since: { live: null, replay: iso('02-20') },
        },
        {
          accountId: 'beta',
          tier: { live: 'hot', replay: 'cold' },
          since: { live: iso('02-01'), replay: null },
        },
      ],
      pqlsInBoth: [
        {
          accountId: 'acme',
          trigger: 'grows',
          motion: 'seat-expansion',
          shiftMs: 2 * 86_400_000,
          live: { start: iso('01-10'), end: null, held: false },
          replay: { start: iso('01-12'), end: null, held: false },
        },
      ],
      pqlsOnlyLive: [
        {
          accountId: 'beta',
          trigger: 'grows',
          motion: 'seat-expansion',
          start: iso('02-01'),
          end: null,
          held: true,
        },
      ],
      pqlsOnlyReplay: [],
    })
    expect(tiers).toMatchObject({ names: ['cold', 'hot'], accounts: 3, moved: 2, apart: 3 })
    expect(pqls).toMatchObject({ live: 2, replay: 1, both: 1, onlyLive: 1, onlyReplay: 0 })
    expect(periods.unit).toBe('week')
    expect(periods.rows[0]).toEqual({
      from: iso('01-10'),
      to: '2026-01-12T00:00:00.000Z',
      apart: 1,
      pqls: { live: 1, replay: 0 },
    })
    expect(periods.rows.at(-1)).toMatchObject({ to: iso('03-01'), apart: 2 })
  })

  test('prints at most --limit rows of each list', async () => {
    const { code, stdout, stderr } = await diff('v2', '--limit', '1')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^Replay v2 against the live results: from the beginning to 2026-03-01T12:00:00\.000Z\n\nSeats: live version 1; replay version 2\n/,
    )
    expect(stdout).toMatch(/^ {2}Hot +1 +1\n {2}Cold +1 +·$/m)
    expect(stdout).toContain(
      'Accounts in another tier (1 of 2; --limit lists more)\n  zeta  Cold → Hot  live from before  replay since 2026-02-20 12:00\n',
    )
  })

  test('compares a replay that follows the log as far as both have come', async () => {
    const { to, models } = await diffJson('follows')
    // The end is its newest score: live has come further.
    expect(to).toBe('2026-03-02T12:00:00.001Z')
    expect(models[0].tiers.moved).toBe(2)
    const { stdout } = await diff('follows')
    expect(stdout).toContain(' to 2026-03-02T12:00:00.001Z, the time that both have reached\n')
  })

  test('compares a replay that is ahead of live as far as live has come', async () => {
    const { to, models } = await diffJson('beyond')
    expect(to).toBe('2026-03-20T12:00:00.001Z')
    expect(models[0].tiers).toMatchObject({ moved: 0, apart: 1 })
  })

  test.each([
    ['same', 0],
    ['v2', 1],
  ])('%s with --exit-code ends with %i', async (name, expected) => {
    expect((await diff(name, '--exit-code')).code).toBe(expected)
    expect((await diff(name)).code).toBe(0)
  })

  test('reports all live events as different from a replay that published nothing', async () => {
    const { models, to } = await diffJson('empty')
    expect(to).toBe('2026-03-20T12:00:00.001Z')
    expect(models[0].tiers).toMatchObject({ accounts: 2, moved: 1, apart: 2 })
    expect(models[0].pqls).toMatchObject({ live: 2, replay: 0, onlyLive: 2 })
  })

  test('warns if the replay has not read all signals before the end', async () => {
    expect((await diffJson('late')).behind).toBe(true)
    expect((await diffJson('through')).behind).toBe(false)
    expect((await diff('late')).stdout).toContain(
      'The replay has not read all of its log up to that time yet',
    )
  })

  test.each([
    [
      ['v3'],
      2,
      /INVALID_SETTINGS: \S+data holds no replay named "v3"; it holds: beyond, empty, follows, foreign, late, same, through, v2\n$/,
    ],
    [['no-replay'], 2, /holds no replay named "no-replay"; it holds: beyond, empty, /],
    [
      ['foreign'],
      1,
      /INPUT_UNREADABLE: foreign\.tier-changes partition \d offset 0 is not an event that Upswell published/,
    ],
  ] as const)('%j ends with %i', async (args, expected, said) => {
    const { code, stdout, stderr } = await diff(...args)
    expect([code, stdout]).toEqual([expected, ''])
    expect(stderr).toMatch(said)
  })

  test('ends with 2 without a log, and creates none', async () => {
    const nowhere = join(folder, 'nothing')
    const { code, stderr } = await runCli(main, ['replay', 'diff', 'v2'], {
      env: { UPSWELL_DATA_DIR: nowhere },
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /nothing holds no replay named "v2"; there is none; begin one with "upswell replay --into NAME"/,
    )
    expect(existsSync(nowhere)).toBe(false)
  })
})
