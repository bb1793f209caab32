import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, getJson, runCli } from '../commands/cli.ts'
import { silent, until } from '../support/log-handlers.ts'
import { signal } from '../support/one-partition.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { startRedis } from '../support/servers/redis-server.ts'
import { startRole, untilReady } from '../support/servers/role-process.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 180_000 })

const PARTITIONS = 3

const whyNot = await missingForMaven()

describeIntegration('the metrics of a scorer', ({ kafkaBrokers }) => {
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  })

  async function start(threads: string) {
    const folder = await mkdtemp(join(tmpdir(), 'upswell-metrics-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'growth.yaml'), GROWTH)
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const name = `metrics-${randomUUID().slice(0, 8)}`
    const env = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PARTITIONS: String(PARTITIONS),
      UPSWELL_SESSION_TIMEOUT_MS: '6000',
      UPSWELL_SCORE_THREADS: threads,
      UPSWELL_PORT: '0',
    }
    expect((await runCli(main, ['topics', 'create'], { env })).code).toBe(0)
    const log = openKafkaLog({
      brokers: kafkaBrokers.split(','),
      clientId: 'test',
      logger: silent,
      transactionalIdPrefix: `${name}-test`,
    })
    onTestFinished(() => log.close())
    const { upswell, url } = await startRole(main, 'score', env)
    upswell.endWithTest()
    await untilReady(url)
    const topics = topicNames(`${name}.`)
    const send = async (count: number, from: string): Promise<void> => {
      const now = Date.now()
      const signals = Array.from({ length: count }, (_, i) => signal(`${from}-${i}`, `account-${i}`))
      const records = signals.map(each => signalRecord(topics.signals, { ...each, occurredAt: now }, now))
      await log.append(records)
    }
    /** The values of the series that begin so. */
    const values = async (series: string): Promise<number[]> => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const lines = text.split('\n').filter(line => line.startsWith(series))
      return lines.map(line => Number(line.slice(line.lastIndexOf(' ') + 1)))
    }
    /** Requests to the store that failed. */
    const unavailable = async (): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`)).text()
      const counts = text.matchAll(
        /^upswell_store_request_duration_seconds_count{.*result="unavailable"} (\d+)$/gm,
      )
      return Array.from(counts, ([, count]) => Number(count)).reduce((total, count) => total + count, 0)
    }
    const sum = async (series: string) => (await values(series)).reduce((total, value) => total + value, 0)
    return { name, url, redis, send, values, sum, unavailable }
  }

  test.skipIf(whyNot !== undefined).each(['1', '2'])(
    'show how far it is behind while Redis is away, and what it does when it is back: %s score threads',
    async threads => {
      const { name, url, redis, send, values, sum, unavailable } = await start(threads)
      const group = `group="${name}-score"`
      const partitions = Array.from({ length: PARTITIONS }, () => 0)
      await send(300, 'first')
      await until(async () => (await sum('upswell_signals_total{outcome="applied"}')) === 300)
      // The last offsets of a partition are the ends of transactions, which are no lag.
      await until(async () => {
        const lags = [
          await values(`upswell_lag_records{${group}`),
          await values('upswell_store_lag_records{'),
        ]
        return JSON.stringify(lags) === JSON.stringify([partitions, partitions])
      })
      expect(await values(`upswell_lag_seconds{${group}`)).toEqual(partitions)
      expect(await sum(`upswell_commit_duration_seconds_count{${group},result="done"}`)).toBeGreaterThan(0)
      expect(await sum('upswell_flush_duration_seconds_count{result="done"}')).toBeGreaterThan(0)
      expect(await sum(`upswell_fetched_bytes_total{topic="${name}.signals"}`)).toBeGreaterThan(300)
      expect(await sum('upswell_account_loads_total{result="absent"}')).toBe(300)
      expect(await sum('upswell_store_reconnects_total')).toBe(0)
      expect(await values('upswell_checkpoint_lag_records')).toHaveLength(PARTITIONS)

      await redis.kill('SIGKILL')
      await send(300, 'second')
      await until(async () => (await sum('upswell_lost_sessions_total{')) >= 1)
      await send(300, 'third')
      await until(async () => (await sum(`upswell_lag_records{${group}`)) >= 300)
      await until(async () => Math.max(...(await values(`upswell_lag_seconds{${group}`))) > 0)
      expect(await unavailable()).toBeGreaterThan(0)

      const back = await startRedis({ port: redis.port })
      onTestFinished(() => back.stop())
      await until(async () => (await sum('upswell_signals_total{outcome="applied"}')) === 900)
      await until(async () => (await sum(`upswell_lag_records{${group}`)) === 0)
      // Redis came back empty: what was committed is folded again.
      expect(await sum('upswell_refold_records{')).toBeGreaterThanOrEqual(300)
      expect(await sum('upswell_refold_done_records{')).toBe(await sum('upswell_refold_records{'))
      expect(await sum('upswell_store_reconnects_total')).toBeGreaterThanOrEqual(1)
      await until(async () => {
        const { status, body } = await getJson(`${url}/readyz`)
        return status === 200 && JSON.stringify(body) === '{"status":"ready","lag":{"records":0,"seconds":0}}'
      })
    },
  )
})
