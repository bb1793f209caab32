import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { dueBucketOf } from '../../src/scoring/due-slices.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, CliProcess, type Ended, runCli } from '../commands/cli.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const SETUP_TIMEOUT_MS = 180_000
const PARTITIONS = 3
const ACCOUNTS = 40
const LOG = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-parity-'))
  await writeFile(join(folder, 'growth.yaml'), GROWTH)
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Report {
  readonly accounts: { readonly equal: number; readonly different: number; readonly unknown: number }
  readonly partitions: readonly { readonly startedFrom: string; readonly from: number }[]
  readonly different: readonly { readonly accountId: string }[]
}

function signalsOf(day: number): string {
  const lines = Array.from({ length: ACCOUNTS }, (_, i) => ({
    id: `${i}-${day}`,
    kind: 'usage',
    name: 'feature.search',
    accountId: `account-${i}`,
    userId: `u${day}`,
    occurredAt: new Date(Date.now() - (10 - day) * 86_400_000),
  }))
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

describeIntegration('upswell parity on Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  const name = `parity-${randomUUID().slice(0, 8)}`
  const open = () =>
    openKafkaRedisBackend({
      kafka: {
        brokers: kafkaBrokers.split(','),
        clientId: 'test',
        transactionalIdPrefix: `test-${name}`,
        logger: LOG,
      },
      redis: { url: redisUrl, namespace: name, logger: LOG },
    })
  const run = (args: readonly string[], input?: string): Promise<Ended> =>
    runCli(main, args, { env: env(), ...(input === undefined ? {} : { input }) })
  const env = () => ({
    KAFKA_BROKERS: kafkaBrokers,
    REDIS_URL: redisUrl,
    UPSWELL_MODELS: join(folder, 'growth.yaml'),
    UPSWELL_NAMESPACE: name,
    UPSWELL_TOPIC_PREFIX: `${name}.`,
    UPSWELL_GROUP: name,
    UPSWELL_PARTITIONS: String(PARTITIONS),
    UPSWELL_PORT: '0',
    UPSWELL_CHECKPOINT_INTERVAL_MS: '300',
    UPSWELL_PARITY_INTERVAL_MS: '100',
  })

  afterAll(async () => {
    const backend = await open()
    await backend.store.drop()
    await backend.log.deleteTopics(Object.values(topicNames(`${name}.`)))
    await backend.close()
  })

  const report = async (...args: string[]): Promise<Report> => {
    const { stdout, stderr } = await run(['parity', '--json', ...args])
    expect(stderr).toBe('')
    return JSON.parse(stdout) as Report
  }

  test('compares with the log and with checkpoints while the scorer runs, and finds damage', async () => {
    expect(await run(['topics', 'create'])).toMatchObject({ code: 0 })
    const upswell = new CliProcess(main, ['start'], { env: env() }).endWithTest()
    const [, url] = await upswell.says(/ (http:\/\/127\.0\.0\.1:\d+) answers \/livez/)
    for (const day of [1, 2, 3]) expect(await run(['send', '-'], signalsOf(day))).toMatchObject({ code: 0 })
    const all = { equal: ACCOUNTS, different: 0, unknown: 0 }
    await vi.waitFor(async () => expect((await report('--from-log')).accounts).toEqual(all), {
      timeout: 60_000,
    })

    // A checkpoint is written only after something has changed.
    await vi.waitFor(
      async () => {
        expect(await run(['send', '-'], signalsOf(4))).toMatchObject({ code: 0 })
        const { accounts, partitions } = await report()
        expect(partitions.map(({ startedFrom }) => startedFrom)).toEqual(Array(PARTITIONS).fill('checkpoint'))
        expect(Math.min(...partitions.map(({ from }) => from))).toBeGreaterThan(0)
        expect(accounts).toEqual(all)
      },
      { timeout: 60_000, interval: 500 },
    )
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^upswell_parity_accounts_total\{outcome="equal"\} [1-9]/m)
    expect(metrics).toMatch(/^upswell_parity_accounts_total\{outcome="different"\} 0$/m)
    expect(await upswell.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' })

    await damage('account-7')
    const { accounts, different } = await report()
    expect(accounts).toEqual({ equal: ACCOUNTS - 1, different: 1, unknown: 0 })
    expect(different).toMatchObject([{ accountId: 'account-7' }])
  }, 300_000)

  async function damage(accountId: string): Promise<void> {
    const { store, close } = await open()
    const partition = partitionOf(accountId, PARTITIONS)
    const bytes = new Uint8Array((await store.load(partition, [accountId]))[0]!)
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
    await close()
  }
})
