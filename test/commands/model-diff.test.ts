import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import { buildCli, CliProcess, getJson, runCli, temporaryFolder, untilJson } from './cli.ts'

const SETUP_TIMEOUT_MS = 240_000
const DAY_MS = 86_400_000
const ACCOUNTS = 24

const FIRST = `id: seats
version: 1
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
  health: { latest: health.score }
groups:
  usage:
    weight: 1
    max: 10
    rules:
      users: { title: Users, line: { of: users, corners: [[0, 0], [10, 8]] } }
      health: { title: Health, line: { of: health, corners: [[0, 0], [100, 2]] }, missing: 0 }
tiers:
  - { name: cold, title: Cold, from: 0 }
  - { name: warm, title: Warm, from: 30 }
  - { name: hot, title: Hot, from: 60 }
tierPolicy: { margin: 2, dwell: 3d }
gates:
  healthy: { open: health >= 60, missing: open }
triggers:
  many-users: { motion: seat-expansion, when: users >= 4, cooldown: 30d, expiry: 90d, reason: "{users} users" }
  few-users: { motion: cross-sell, when: users <= 2, cooldown: 30d, expiry: 90d, reason: "{users} users" }
alerts:
  crowd: { title: Crowd, when: users >= 6, frequency: 7d, reason: "{users} users", recipients: [csm] }
`
const SECOND = FIRST.replace('version: 1', 'version: 2')
  .replace('[10, 8]]', '[6, 8]]')
  .replace('users >= 4', 'users >= 5')
  .replace('few-users', 'one-user')
  .replace('  crowd: { title: Crowd, when: users >= 6', '  throng: { title: Throng, when: users >= 3')

/** The JSON as docs/try-a-model.md describes it. */
interface Diff {
  readonly modelId: string
  readonly before: readonly { readonly modelVersion: number; readonly active: boolean }[]
  readonly accounts: readonly {
    readonly accountId: string
    readonly tier: { readonly before: string; readonly after: string }
    readonly score: { readonly before: number; readonly after: number }
    readonly pqls: readonly { readonly trigger: string; readonly status: string }[]
    readonly alerts: readonly string[]
    readonly rules: readonly { readonly rule: string; readonly change: number }[]
  }[]
  readonly sums: {
    readonly accounts: number
    readonly tierChanges: number
    readonly pqls: readonly unknown[]
  }
}

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-diff-'))
  await writeFile(join(folder, 'first.yaml'), FIRST)
  await writeFile(join(folder, 'second.yaml'), SECOND)
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

const diff = (args: readonly string[], dataDir = 'data'): ReturnType<typeof runCli> =>
  runCli(main, ['model', 'diff', ...args], {
    cwd: folder,
    env: { UPSWELL_DATA_DIR: resolve(folder, dataDir) },
  })

async function diffJson(...args: string[]): Promise<Diff> {
  const { code, stdout, stderr } = await diff([...args, '--json'])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Diff
}

async function startWith(model: string): Promise<{ upswell: CliProcess; url: string }> {
  const env = {
    UPSWELL_PORT: '0',
    UPSWELL_DATA_DIR: join(folder, 'data'),
    UPSWELL_MODELS: join(folder, model),
  }
  const upswell = new CliProcess(main, ['start', '--empty'], { env })
  const [, url] = await upswell.says(/Ranked accounts {3}(\S+)\/v1\/accounts\n/, 60_000)
  return { upswell, url: url! }
}

/** Three weeks of accounts with 1 to 8 users each; every third account is unhealthy. */
function history(): string {
  const start = Date.now() - 21 * DAY_MS
  const lines: string[] = []
  for (let i = 0; i < ACCOUNTS; i++) {
    const accountId = `account-${i}`
    const health = { kind: 'health', name: 'health', properties: { score: i % 3 === 0 ? 30 : 90 } }
    const occurredAt = new Date(start + i * 1000).toISOString()
    lines.push(JSON.stringify({ id: `h-${i}`, accountId, occurredAt, ...health }))
    for (let user = 0; user <= i % 8; user++) {
      const parts = { kind: 'usage', name: 'feature.a', userId: `u-${user}` }
      lines.push(JSON.stringify({ id: `u-${i}-${user}`, accountId, occurredAt, ...parts }))
    }
  }
  return lines.join('\n')
}

/** Sends a signal that no model reads, and waits until everything before it is scored. */
async function untilScored(url: string, accountId: string): Promise<void> {
  const response = await fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id: `last-${accountId}`,
      kind: 'intent',
      name: 'seen',
      accountId,
      occurredAt: new Date(),
    }),
  })
  const { positions } = (await response.json()) as { positions: { sequence: string }[] }
  expect((await getJson(`${url}/v1/accounts/${accountId}?after=${positions[0]!.sequence}`)).status).toBe(200)
}

/** The events with cause `model`. */
async function publishedChanges(): Promise<{
  readonly tiers: string[]
  readonly pqls: string[]
  readonly alerts: string[]
}> {
  const backend = await openEmbeddedBackend({ directory: join(folder, 'data'), partitions: 4 })
  const read = async (topic: string): Promise<Record<string, string>[]> => {
    const values: (Record<string, string> & { cause: { type: string } })[] = []
    for await (const { value } of backend.log.readAll(topic)) values.push(JSON.parse(String(value)))
    return values.filter(({ cause }) => cause.type === 'model')
  }
  try {
    return {
      tiers: (await read('tier-changes'))
        .map(({ accountId, from, to }) => `${accountId} ${from} ${to}`)
        .sort(),
      pqls: (await read('pql-events'))
        .map(({ accountId, trigger, status }) => `${accountId} ${trigger} ${status}`)
        .sort(),
      alerts: (await read('alerts')).map(({ accountId, alert }) => `${accountId} ${alert}`).sort(),
    }
  } finally {
    await backend.close()
  }
}

function changesOf({ accounts }: Diff): Awaited<ReturnType<typeof publishedChanges>> {
  return {
    tiers: accounts
      .filter(({ tier }) => tier.before !== tier.after)
      .map(({ accountId, tier }) => `${accountId} ${tier.before} ${tier.after}`)
      .sort(),
    pqls: accounts
      .flatMap(({ accountId, pqls }) =>
        pqls.map(({ trigger, status }) => `${accountId} ${trigger} ${status}`),
      )
      .sort(),
    alerts: accounts.flatMap(({ accountId, alerts }) => alerts.map(alert => `${accountId} ${alert}`)).sort(),
  }
}

describe('upswell model diff', { timeout: 240_000 }, () => {
  test('predicts exactly what happens when the service starts with that model', async () => {
    const { upswell, url } = await startWith('first.yaml')
    try {
      const sent = await runCli(main, ['send', '-', '--clock', 'event', '--afterwards', 'live'], {
        env: { UPSWELL_DATA_DIR: join(folder, 'data') },
        input: history(),
      })
      expect([sent.code, sent.stdout]).toEqual([0, expect.stringMatching(/^Sent \d+ signals to signals\.\n/)])
      for (let i = 0; i < ACCOUNTS; i++) await untilScored(url, `account-${i}`)

      const whileItRuns = await diffJson('active', 'second.yaml')
      expect((await upswell.kill('SIGTERM')).code).toBe(0)
      const foretold = await diffJson('active', 'second.yaml')
      expect(changesOf(whileItRuns)).toEqual(changesOf(foretold))
      expect(foretold.sums.accounts).toBe(ACCOUNTS)
      const { tiers, pqls, alerts } = changesOf(foretold)
      expect([tiers.length > 3, pqls.length > 3, alerts.length > 3]).toEqual([true, true, true])
      // The active version's file gives the same as the word `active`.
      expect(changesOf(await diffJson('first.yaml', 'second.yaml'))).toEqual(changesOf(foretold))
      expect(await publishedChanges()).toEqual({ tiers: [], pqls: [], alerts: [] })

      const next = await startWith('second.yaml')
      try {
        await untilJson<{ items: { modelVersion: number }[] }>(
          `${next.url}/v1/accounts?limit=100`,
          ({ body }) =>
            body.items?.length === ACCOUNTS && body.items.every(({ modelVersion }) => modelVersion === 2),
        )
      } finally {
        await next.upswell.kill('SIGTERM')
      }
      expect(await publishedChanges()).toEqual(changesOf(foretold))
    } finally {
      await upswell.kill('SIGKILL')
    }
  })

  test('of a model against itself reports no change', async () => {
    const { code, stdout, stderr } = await diff(['active', 'second.yaml', '--exit-code'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Seats: version 2 \(active\) → 2 \(second\.yaml\)\n24 accounts as of /)
    expect(stdout).toContain('The model is the same.')
    expect(stdout).toContain('Tiers: 0 of 24 accounts change\n')
    expect(stdout).toContain('Scores: 0 up, 0 down, 24 the same; on average 0\n')
    const { accounts, before } = await diffJson('second.yaml', 'second.yaml')
    expect([accounts, before]).toEqual([[], [{ modelVersion: 2, active: true, changes: [] }]])
  })

  test('shows the rules that moved, at most --limit accounts, and ends with 1 if --exit-code is given', async () => {
    const { code, stdout } = await diff(['active', 'first.yaml', '--limit', '2', '--exit-code'])
    expect(code).toBe(1)
    expect(stdout).toContain('  changed rule usage/users: line.corners.1.0 6 → 10\n')
    expect(stdout).toContain('  gone    trigger one-user\n')
    expect(stdout).toMatch(/Accounts that change a tier or a PQL \(2 of \d+; --limit lists more\)\n/)
    // The accounts entered their tiers a moment ago: the dwell holds them.
    expect(stdout).toMatch(/^Tiers: 0 of 24 accounts change; [1-9]\d? may change when the dwell ends$/m)
    expect(stdout).toMatch(
      /^ {2}account-\d+ {2}Hot {2}score \d+ → \d+\n {6}→ Warm when the dwell ends, \S+Z\n {6}Users {2}[\d.]+ → [\d.]+ +−[\d.]+ {3}users \d\n/m,
    )
    expect(stdout.match(/^ {2}account-\d+ {2}/gm)).toHaveLength(2)
  })

  test('compares with a version that was never active as if it had been', async () => {
    await writeFile(
      join(folder, 'third.yaml'),
      SECOND.replace('version: 2', 'version: 3').replace('from: 60', 'from: 55'),
    )
    const { stdout } = await diff(['third.yaml', 'second.yaml'])
    expect(stdout).toContain(
      'Version 3 is not active: the comparison assumes that it scored these accounts all along',
    )
    expect(stdout).toContain('  changed tier hot: from 55 → 60\n')
    expect((await diffJson('third.yaml', 'third.yaml')).accounts).toEqual([])
  })

  test('ends with 2 if the files cannot be compared, and with 1 if there are no accounts', async () => {
    await writeFile(join(folder, 'other.yaml'), FIRST.replace('id: seats', 'id: other'))
    const other = await diff(['first.yaml', 'other.yaml'])
    expect([other.code, other.stdout]).toEqual([2, ''])
    expect(other.stderr).toBe(
      'upswell: INVALID_SETTINGS: first.yaml is a version of the model seats, other.yaml of other; two versions of one model are accepted: files with the same id\n',
    )
    const notActive = await diff(['active', 'other.yaml'])
    expect([notActive.code, notActive.stderr]).toEqual([
      2,
      'upswell: INVALID_SETTINGS: no version of other is active in the store (active: seats); name a file instead of "active"\n',
    ])
    const several = await diff(['.', 'first.yaml'])
    expect([several.code, several.stderr]).toEqual([
      2,
      expect.stringMatching(/\bfirst\.yaml has the same id|one file is accepted/),
    ])
    const empty = await diff(['active', 'first.yaml'], 'nowhere')
    expect([empty.code, empty.stdout]).toEqual([1, ''])
    expect(empty.stderr).toMatch(
      /^upswell: there are no accounts in \S+nowhere; start the service and send it signals/,
    )
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
    await writeFile(join(folder, 'bad.yaml'), FIRST.replace('of: users,', 'of: usres,'))
    const bad = await diff(['active', 'bad.yaml'])
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringMatching(/^bad\.yaml:13:\d+: .*usres/)])
  })

  test('reports that a store has no accounts', async () => {
    const dataDir = await temporaryFolder()
    const env = { UPSWELL_DATA_DIR: dataDir }
    expect((await runCli(main, ['send', '-'], { env, input: '' })).code).toBe(0)
    const { code, stderr } = await diff(['active', 'first.yaml'], dataDir)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^upswell: there are no accounts in /)])
  })

  test.each(['test', 'diff'])('%s --help shows its usage', async command => {
    const { code, stdout } = await runCli(main, ['model', command, '--help'])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^Usage: upswell model ${command} `)),
    ])
  })
})
