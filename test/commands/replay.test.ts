import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import { until } from '../support/log-handlers.ts'
import { buildCli, CliProcess, type Ended, type Environment, getJson, runCli, untilJson } from './cli.ts'

vi.setConfig({ testTimeout: 90_000 })

const SETUP_TIMEOUT_MS = 240_000
const PARTITIONS = 2
const model = (version: number, hot: number): string => `id: seats
version: ${version}
name: Seats
score: { scale: 10, max: 100 }
features: { users: { distinctUsers: { within: 30d } } }
groups: { usage: { weight: 1, max: 10, rules: { users: { of: users, bands: [{ from: 1, points: 5 }, { from: 2, points: 10 }] } } } }
tiers: [{ name: cold, from: 0 }, { name: hot, from: ${hot} }]
triggers:
  grows:
    { motion: seat-expansion, when: users >= 2, cooldown: 7d, expiry: 30d, reason: '{users} users', play: [Call], decisionTimeline: soon }
`

let main: string
let folder: string
let env: Environment

beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-replay-'))
  await writeFile(join(folder, 'seats.yaml'), model(1, 80))
  await writeFile(join(folder, 'other.yaml'), model(2, 40))
  env = {
    UPSWELL_DATA_DIR: join(folder, 'data'),
    UPSWELL_MODELS: join(folder, 'seats.yaml'),
    UPSWELL_PARTITIONS: String(PARTITIONS),
    UPSWELL_PORT: '0',
  }
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

const upswell = (...args: string[]): Promise<Ended> => runCli(main, args, { env })

/** Starts the service, and stops it after the work. */
async function whileRunning<T>(work: (url: string) => Promise<T>): Promise<T> {
  const started = new CliProcess(main, ['start', '--empty'], { env })
  try {
    const [, url] = await started.says(/(http:\/\/127\.0\.0\.1:\d+)/)
    await untilJson(`${url}/readyz`, ({ status }) => status === 200)
    return await work(url!)
  } finally {
    await started.kill('SIGTERM')
  }
}

/** Posts two users of acme and one of beta; returns the last sequence. */
async function send(
  url: string,
  users: readonly (readonly [account: string, user: string])[],
): Promise<string> {
  const occurredAt = new Date().toISOString()
  const signals = users.map(([accountId, userId], i) => ({
    id: `${occurredAt}-${i}`,
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    userId,
    occurredAt,
  }))
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers,
    body: JSON.stringify(signals),
  })
  expect(response.status).toBe(202)
  const { positions } = (await response.json()) as { positions: { sequence: string }[] }
  return positions.at(-1)!.sequence
}

async function events(topic: string): Promise<string[]> {
  const backend = await openEmbeddedBackend({ directory: join(folder, 'data'), partitions: PARTITIONS })
  try {
    const found: string[] = []
    for await (const { key, value } of backend.log.readAll(topic)) {
      const { modelVersion, to, status, cause } = JSON.parse(String(value))
      found.push(`${key} ${to ?? status} v${modelVersion} ${cause.type}`)
    }
    return found.sort()
  } finally {
    await backend.close()
  }
}

/** Runs a replay that follows the log until it has caught up. */
async function follow(...args: string[]): Promise<Ended> {
  const replay = new CliProcess(main, ['replay', ...args], { env })
  await replay.says(/Caught up/)
  return await replay.kill('SIGINT')
}

describe('upswell replay, embedded', () => {
  test('reads the log up to now, and prints where its output is', async () => {
    await whileRunning(async url => {
      const sequence = await send(url, [
        ['acme', 'ann'],
        ['acme', 'ben'],
        ['beta', 'kim'],
      ])
      await getJson(`${url}/v1/accounts/beta?after=${sequence}`)
    })
    const trial = await upswell(
      'replay',
      '--into',
      'trial',
      '--to',
      'now',
      '--model',
      join(folder, 'other.yaml'),
    )
    expect(trial).toMatchObject({ code: 0, stderr: '' })
    expect(trial.stdout).toContain('Replaying signals from the beginning to 20')
    expect(trial.stdout).toContain('trial: 2 partitions, topics trial.signals, trial.pql-events and so on')
    expect(await events('trial.tier-changes')).toEqual(['acme hot v2 signal', 'beta hot v2 signal'])
    expect(await events('tier-changes')).toEqual(['acme hot v1 signal'])
    // The second run finds nothing left to do.
    const again = await upswell(
      'replay',
      '--into',
      'trial',
      '--to',
      'now',
      '--model',
      join(folder, 'other.yaml'),
    )
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toContain('Continuing the replay of signals')
    expect(await events('trial.tier-changes')).toEqual(['acme hot v2 signal', 'beta hot v2 signal'])
  })

  test('refuses wrong options with exit code 2', async () => {
    for (const [args, reason] of [
      [['--into', 'trial'], 'the replay trial was begun with other options (to: it has 20'],
      [
        ['--into', 'odd', '--partitions', '3'],
        '3 partitions are not a multiple of 2: a multiple is accepted',
      ],
      [['promote', 'trial'], 'trial cannot be promoted: it was begun with --from or --to'],
      [['promote', 'nothing'], 'nothing cannot be promoted: there is no replay of this name'],
      [['drop', 'nothing'], 'nothing is not dropped: there is no replay of this name'],
    ] as const) {
      const { code, stderr } = await upswell('replay', ...args)
      expect([code, stderr]).toEqual([2, expect.stringContaining(reason)])
    }
  })

  test('can use the name of a dropped replay again', async () => {
    const asked = await upswell('replay', 'drop', 'trial')
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('Dropping trial needs a yes')])
    expect((await upswell('replay', 'list')).stdout).toContain('trial')
    const dropped = await upswell('replay', 'drop', 'trial', '--yes')
    expect(dropped).toMatchObject({ code: 0, stderr: '' })
    expect(dropped.stdout).toMatch(/^This deletes 7 topics .*and the scores of 2 accounts\./)
    expect(dropped.stdout).toContain('\ntrial is gone: its topics, its consumer groups and its state.\n')
    expect((await upswell('replay', 'list')).stdout).toBe(
      'There are no replays; "upswell replay --into NAME" begins one.\n',
    )
    const args = ['--into', 'trial', '--partitions', '4', '--model', join(folder, 'other.yaml')]
    expect(await follow(...args)).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await upswell('replay', 'list')
    expect(stdout).toMatch(/\n {2}trial +shadow +beginning to end, following +.*other\.yaml +4 +0\n$/)
  })

  test('says what a promotion changes, and writes nothing without a yes', async () => {
    const { code, stdout, stderr } = await upswell('replay', 'promote', 'trial')
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('Promoting trial needs a yes, and nothing was'),
    ])
    expect(stdout).toContain('If trial serves in place of default (2 accounts compared):')
    expect(stdout).toMatch(/\n {2}seats +v1 +v2 +2 +1 +1 +1\n/)
    // beta becomes hot. The PQL of acme gets a new id.
    expect(stdout).toContain('about 3 events at once: 1 tier change and 2 PQL events.')
    expect(stdout).toContain('This cannot be undone.')
    expect((await upswell('replay', 'list')).stdout).toMatch(/\n {2}trial +shadow /)
  })

  test('answers /metrics with the lag of the copy and of the scoring, if it gets a port', async () => {
    const args = ['--into', 'trial', '--model', join(folder, 'other.yaml'), '--metrics-port', '0']
    const replay = new CliProcess(main, ['replay', ...args], { env })
    const [, url] = await replay.says(/Metrics: (http:\S+)/)
    const lags = async () =>
      (await (await fetch(url!)).text())
        .split('\n')
        .filter(line => line.startsWith('upswell_lag_records{'))
        .map(line => line.replace(/,partition.*\} /, '} '))
    await until(async () => (await lags()).length === 6)
    expect(new Set(await lags())).toEqual(
      new Set([
        'upswell_lag_records{group="upswell-trial-copy",topic="signals"} 0',
        'upswell_lag_records{group="upswell-trial-score",topic="trial.signals"} 0',
      ]),
    )
    expect(await replay.kill('SIGINT')).toMatchObject({ code: 0, stderr: '' })
    const { code, stderr } = await upswell('replay', '--into', 'trial', '--metrics-port', '99999')
    expect([code, stderr]).toEqual([2, expect.stringContaining('a port from 0 to 65535 is accepted')])
  })

  test('serves a promoted replay from the next start: API, topics and later events', async () => {
    const promoted = await upswell('replay', 'promote', 'trial', '--yes')
    expect(promoted).toMatchObject({ code: 0, stderr: '' })
    const twice = await upswell('replay', 'promote', 'trial')
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('is written already')])
    await whileRunning(async url => {
      type Document = { standings: { modelVersion: number; tier: string }[] }
      const { standings } = await untilJson<Document>(
        `${url}/v1/accounts/beta`,
        ({ status, body }) => status === 200 && body.standings[0]?.modelVersion === 2,
      )
      expect(standings[0]!.tier).toBe('hot')
      const sequence = await send(url, [['beta', 'lee']])
      const { status, body } = await getJson(`${url}/v1/accounts/beta?after=${sequence}`)
      expect([status, body]).toEqual([200, expect.objectContaining({ sequence })])
    })
    expect((await upswell('replay', 'list')).stdout).toMatch(/\n {2}trial +serves /)
    // beta is in another tier than published. acme is in the same tier, but its PQL is of another version.
    expect(await events('tier-changes')).toEqual(['acme hot v1 signal', 'beta hot v2 model'])
    expect(await events('pql-events')).toEqual([
      'acme disqualified v1 model',
      'acme qualified v1 signal',
      'acme qualified v2 model',
      'beta qualified v2 signal',
    ])
    const dropped = await upswell('replay', 'drop', 'trial')
    expect([dropped.code, dropped.stderr]).toEqual([2, expect.stringContaining('trial is not dropped')])
    const again = await upswell('replay', '--into', 'trial')
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('trial was promoted and serves')])
  })

  test('loads later history into the serving lineage', async () => {
    const file = join(folder, 'history.jsonl')
    const signal = { id: 'h-1', kind: 'usage', name: 'x', accountId: 'old', userId: 'u' }
    await writeFile(file, `${JSON.stringify({ ...signal, occurredAt: '2026-01-05T00:00:00Z' })}\n`)
    expect(await upswell('send', file, '--clock', 'event')).toMatchObject({ code: 0 })
    await whileRunning(async url => {
      await untilJson(`${url}/v1/accounts/old`, ({ status }) => status === 200)
    })
  })

  test('rebuilds and compares the serving lineage when all stores are empty', async () => {
    const directory = join(folder, 'data')
    const original = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
    const trial = await original.inNamespace('default/trial')
    await original.store.drop()
    await trial.store.drop()
    await trial.close()
    await original.close()
    const rebuilt = await upswell('rebuild')
    expect(rebuilt.code).toBe(0)
    expect(rebuilt.stdout).toMatch(/^Rebuilt 3 accounts in 4 partitions of default\/trial, in /)
    const { code, stdout, stderr } = await upswell('parity')
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringMatching(/^3 accounts, .*: all are equal/)])
    expect((await upswell('replay', 'list')).stdout).toMatch(/\n {2}trial +serves /)
  })
})
