import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { openLmdbEnvironment } from '../../src/lib/lmdb/lmdb-environment.ts'
import { dueBucketOf } from '../../src/scoring/due-slices.ts'
import { LmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { buildCli, CliProcess, type Ended, runCli, temporaryFolder, untilJson } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
const ACCOUNTS = 12
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

function signalsOf(day: number): string {
  const lines = Array.from({ length: ACCOUNTS }, (_, i) => {
    const occurredAt = new Date(Date.now() - (10 - day) * 86_400_000)
    return {
      id: `${i}-${day}`,
      kind: 'usage',
      name: 'feature.search',
      accountId: `account-${i}`,
      userId: `u${day}`,
      occurredAt,
    }
  })
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

/** Starts a service that has scored some accounts and keeps running. */
async function startScored(dataDir: string): Promise<{ upswell: CliProcess; url: string }> {
  const env = { UPSWELL_DATA_DIR: dataDir, UPSWELL_PORT: '0', UPSWELL_PARITY_INTERVAL_MS: '50' }
  const upswell = new CliProcess(main, ['start', '--empty'], { env }).endWithTest()
  const [, url] = await upswell.says(/Ranked accounts {3}(http:\/\/127\.0\.0\.1:\d+)\/v1\/accounts\n/, 90_000)
  await upswell.says(/Ctrl-C stops/)
  for (const day of [1, 2, 3]) {
    const { code, stderr } = await send(dataDir, signalsOf(day))
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^The signals of standard input go to .*\n$/)])
  }
  type Page = { items: unknown[] }
  await untilJson<Page>(
    `${url}/v1/accounts?limit=50&model=expansion-revenue-score`,
    ({ body }) => body.items?.length === ACCOUNTS,
  )
  return { upswell, url: url! }
}

function send(dataDir: string, input: string): Promise<Ended> {
  return runCli(main, ['send', '-'], { env: { UPSWELL_DATA_DIR: dataDir }, input })
}

function parity(dataDir: string, ...args: string[]): Promise<Ended> {
  return runCli(main, ['parity', ...args], { env: { UPSWELL_DATA_DIR: dataDir } })
}

/** Flips one bit of a saved account, as a disk might. */
async function damage(dataDir: string, accountId: string): Promise<void> {
  const environment = await openLmdbEnvironment(dataDir)
  try {
    const store = new LmdbStore(environment)
    for (let partition = 0; partition < (await store.partitions())!; partition++) {
      const [core] = await store.load(partition, [accountId])
      if (core === undefined) continue
      const bytes = new Uint8Array(core)
      bytes[bytes.length - 1]! ^= 1
      const { storedOffset } = await store.fence(partition, 'damage')
      const account = {
        accountId,
        bytes,
        bucket: dueBucketOf(accountId),
        dueAt: undefined,
        listingsRemoved: [],
        listingsAdded: [],
      }
      await store.save(partition, {
        fencingToken: 'damage',
        expectedStoredOffset: storedOffset,
        storedOffset,
        state: undefined,
        accounts: [account],
        userChunks: [],
        counters: [],
      })
    }
  } finally {
    await environment.close()
  }
}

describe('upswell parity', { timeout: 150_000 }, () => {
  test('compares while a service runs and checks itself; then finds the damaged account', async () => {
    const dataDir = join(await temporaryFolder(), 'data')
    const { upswell, url } = await startScored(dataDir)
    expect(await parity(dataDir)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^12 accounts, recomputed from [\d,]+ records of \d partitions: all are equal, bit for bit\.\n$/,
      ),
      stderr: '',
    })
    const some = await parity(dataDir, '--accounts', '5', '--json')
    const { accounts, partitions } = JSON.parse(some.stdout) as {
      accounts: Record<string, number>
      partitions: object[]
    }
    expect(accounts['equal']).toBeGreaterThanOrEqual(4)
    expect(accounts['equal']).toBeLessThan(ACCOUNTS)
    expect(partitions[0]).toMatchObject({ startedFrom: 'beginning', from: 0 })

    const metrics = async () => await (await fetch(`${url}/metrics`)).text()
    await expect
      .poll(metrics, { timeout: 30_000 })
      .toMatch(/^upswell_parity_accounts_total\{outcome="equal"\} [1-9]/m)
    expect(await metrics()).toMatch(/^upswell_parity_accounts_total\{outcome="different"\} 0$/m)
    expect(await metrics()).toMatch(/^upswell_parity_last_check_timestamp_seconds 1\d{9}/m)
    expect((await upswell.kill('SIGTERM')).code).toBe(0)
    expect(upswell.stderr).toBe('')

    await damage(dataDir, 'account-7')
    const text = await parity(dataDir)
    expect(text).toMatchObject({ code: 1, stderr: '' })
    expect(text.stdout).toMatch(
      /: 11 equal, 1 different, 0 unknown\.\ndifferent: account-7 in partition \d: core: \d+ bytes, recomputed \d+ bytes; its last record is \d+ in both; /,
    )
    expect(text.stdout).toMatch(/"upswell rebuild --from-log --partition \d"\.\n$/)
    const json = await parity(dataDir, '--json', '--from-log')
    expect(json.code).toBe(1)
    const { different } = JSON.parse(json.stdout) as {
      different: { accountId: string; parts: Record<string, string>[] }[]
    }
    expect(different).toMatchObject([{ accountId: 'account-7', parts: [{ part: 'core' }] }])
    const { stored, recomputed } = different[0]!.parts[0]!
    expect(Buffer.from(stored!, 'base64').length).toBe(Buffer.from(recomputed!, 'base64').length)
    expect(stored).not.toBe(recomputed)
  })

  test('ends with 1 without accounts, and creates nothing', async () => {
    const dataDir = join(await temporaryFolder(), 'nothing')
    expect(await parity(dataDir)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `upswell: there are no accounts in ${dataDir}, so there is nothing to compare; name another place with UPSWELL_DATA_DIR\n`,
    })
  })

  test('accepts only a whole number of accounts: 2', async () => {
    const { code, stderr } = await parity(await temporaryFolder(), '--accounts', 'many')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/a whole number from 1 is accepted/)])
  })
})
