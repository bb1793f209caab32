import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildCli, runCli } from './cli.ts'

const SETUP_TIMEOUT_MS = 240_000
const MODEL = `id: seats
version: 3
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
groups:
  usage: { weight: 1, max: 10, rules: { users: { when: users >= 2, points: 10 } } }
tiers: [{ name: cold, title: Cold, from: 0 }, { name: hot, title: Hot, from: 50 }]
triggers:
  two-users: { motion: seat-expansion, when: users >= 2, cooldown: 30d, expiry: 90d, reason: "{users} users" }
`

let ids = 0
function line(accountId: string, day: string, parts: object): string {
  return JSON.stringify({ id: `s-${++ids}`, accountId, occurredAt: `${day}T12:00:00Z`, ...parts })
}
const use = (account: string, day: string, userId: string): string =>
  line(account, day, { kind: 'usage', name: 'feature.a', userId })
const won = (account: string, day: string): string =>
  line(account, day, { kind: 'outcome', name: 'deal.won', properties: { motion: 'seat-expansion' } })

/**
 * acme has two users from 1 February and wins on the 19th; zeta never wins. The last line only extends the
 * log.
 */
const SIGNALS = [
  use('acme', '2026-01-20', 'u-1'),
  use('acme', '2026-01-20', 'u-2'),
  use('zeta', '2026-01-20', 'u-1'),
  won('acme', '2026-02-19'),
  use('zeta', '2026-05-15', 'u-1'),
]
const SCORE = {
  opened: 1,
  judged: 1,
  followed: 1,
  precision: 1,
  preceded: 1,
  recall: 1,
  leadDays: { lowerQuartile: 30, median: 30, upperQuartile: 30 },
}
const REPORT = {
  modelId: 'seats',
  modelVersion: 3,
  file: 'seats.yaml',
  horizonDays: 60,
  won: ['deal.won'],
  from: '2026-01-20T12:00:00.000Z',
  to: '2026-05-15T12:00:00.000Z',
  leftOut: 0,
  accounts: 2,
  signals: 5,
  duplicates: 0,
  tooOld: 0,
  wins: { count: 1, outOfScope: 0, withMotion: 1 },
  months: { accountMonths: 4, followed: 1, share: 0.25, beyondEnd: 4, outOfScope: 0 },
  tiers: [
    { tier: 'cold', accountMonths: 3, followed: 0, share: 0, lift: 0, wins: 1 },
    { tier: 'hot', accountMonths: 1, followed: 1, share: 1, lift: 4, wins: 0 },
  ],
  pqls: SCORE,
  triggers: [{ trigger: 'two-users', motion: 'seat-expansion', ...SCORE }],
  motions: [{ motion: 'seat-expansion', wins: 1, ...SCORE }],
}

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-backtest-'))
  await writeFile(join(folder, 'seats.yaml'), MODEL)
  await writeFile(join(folder, 'signals.jsonl'), SIGNALS.join('\n'))
  await writeFile(join(folder, 'signals.jsonl.gz'), gzipSync(SIGNALS.join('\n')))
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(args: readonly string[], input?: string): ReturnType<typeof runCli> {
  const env = { UPSWELL_DATA_DIR: join(folder, 'data') }
  return runCli(main, args, { cwd: folder, env, ...(input === undefined ? {} : { input }) })
}
const backtest = (args: readonly string[], input?: string): ReturnType<typeof runCli> =>
  run(['backtest', '--model', 'seats.yaml', '--horizon', '60d', ...args], input)

describe('upswell backtest', { timeout: 60_000 }, () => {
  test.each(['signals.jsonl', 'signals.jsonl.gz'])('reports %s as JSON', async file => {
    const { code, stdout, stderr } = await backtest(['--file', file, '--json'])
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({ ...REPORT, source: file })
  })

  test('gives the same for the log as for the file that was sent', async () => {
    const sent = await run(['send', 'signals.jsonl', '--clock', 'event'])
    expect(sent.code).toBe(0)
    const { code, stdout, stderr } = await backtest(['--json'])
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({ ...REPORT, source: join(folder, 'data') })
  })

  test('gives the same for a file that comes newest first', async () => {
    const { code, stdout } = await backtest(['--file', '-', '--json'], SIGNALS.toReversed().join('\n'))
    expect([code, JSON.parse(stdout)]).toEqual([0, { ...REPORT, source: '-' }])
  })

  test('prints the result for people', async () => {
    const { code, stdout } = await backtest(['--file', '-'], SIGNALS.join('\n'))
    expect(code).toBe(0)
    expect(stdout).toContain(
      'Seats: version 3 (seats.yaml) on -\n2 accounts, 5 signals, 1 win (deal.won), 2026-01-20',
    )
    expect(stdout).toMatch(/^ {2}Hot +1 +1 +100\.0% +4 +0$/m)
    expect(stdout).toMatch(/^ {2}two-users +1 +1 +1 +100\.0% +1 +100\.0% +30 +30 +30$/m)
  })

  test('says what to send if there are no wins: 1', async () => {
    const { code, stdout, stderr } = await backtest([
      '--file',
      'signals.jsonl',
      '--won',
      'renewal.*',
      'deal.lost',
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('0 wins (renewal.*, deal.lost)')
    expect(stderr).toMatch(
      /^upswell: signals\.jsonl holds no outcome named renewal\.\* or deal\.lost.* such as \{.*"kind":"outcome"/,
    )
  })

  test('ends with 1 without a log, and creates none', async () => {
    const env = { UPSWELL_DATA_DIR: join(folder, 'nothing') }
    const args = ['backtest', '--model', 'seats.yaml']
    const { code, stderr } = await runCli(main, args, { cwd: folder, env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^upswell: there are no signals in .*nothing, /)
  })

  test('reports the lines that are not signals, and judges the rest: 1', async () => {
    const { code, stdout, stderr } = await backtest(['--file', '-', '--json'], ['{}', ...SIGNALS].join('\n'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: -:1: /)
    expect(JSON.parse(stdout)).toEqual({ ...REPORT, source: '-', leftOut: 1 })
  })

  test.each([
    [['--file', 'missing.jsonl'], 1, /INPUT_UNREADABLE: cannot read missing\.jsonl: ENOENT/],
    [['--file', 'missing.jsonl.gz'], 1, /INPUT_UNREADABLE: cannot read missing\.jsonl\.gz: ENOENT/],
    [['--horizon', '0d'], 2, /whole days from 1d to 1000d are accepted, such as 90d/],
    [['--horizon', '90'], 2, /whole days from 1d to 1000d are accepted/],
    [['--model', 'none.yaml'], 2, /INVALID_SETTINGS: cannot read the scoring models in none\.yaml/],
  ] as const)('%j ends with %i', async (args, expected, said) => {
    const { code, stdout, stderr } = await backtest(args)
    expect([code, stdout]).toEqual([expected, ''])
    expect(stderr).toMatch(said)
  })
})
