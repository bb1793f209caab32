import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { isUpswellError } from '../../src/lib/errors.ts'
import { withOutages } from '../../src/lib/outages.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import type { LogRecord, PartitionHandler, PartitionSession, RecordList } from '../../src/log/log.ts'
import { all, textOf, until } from '../support/log-handlers.ts'
import { freePorts } from '../support/servers/free-ports.ts'
import { startBroker } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { startRedis } from '../support/servers/redis-server.ts'

const TEST_TIMEOUT_MS = 180_000
const INPUT = 'input'
const OUTPUT = 'output'
/** One account. Its state is the text of all records that it has seen. */
const ACCOUNT = 'acme'

describe.skipIf((await missingForMaven()) !== undefined)(
  'outages of Kafka and Redis',
  { timeout: TEST_TIMEOUT_MS },
  () => {
    it('copies every record once when Kafka is killed mid-stream and restarted', async () => {
      const servers = await startServers()
      const { backend, lines } = await openBackend(servers)
      const consumption = await backend.log.consume(consumeOptions(backend))
      const appending = new Appending(backend)
      await until(async () => (await all(backend.log, OUTPUT)).length > 100)

      await servers.kafka.kill('SIGKILL')
      await until(() => consumption.problem() !== undefined)
      expect(await codeOf(backend.log.ping())).toBe('LOG_UNAVAILABLE')
      expect(await codeOf(backend.log.partitions(INPUT))).toBe('LOG_UNAVAILABLE')
      const before = await restartKafka(servers)
      await until(() => consumption.problem() === undefined && appending.count > before + 200)
      await appending.stop()

      await expectAllCopied(backend)
      // The group, a commit or a fetch may notice first. It depends on the moment of the kill and on how soon
      // the broker returns.
      expect(lines.join('\n')).toMatch(
        /^(the group .* cannot consume|input\/\d+: LOG_UNAVAILABLE|input\/\d+ cannot be fetched): /m,
      )
      expect(lines.filter(line => line.includes('\n') || line.startsWith('{'))).toEqual([])

      async function restartKafka({ kafkaDir }: typeof servers): Promise<number> {
        const counted = appending.count
        servers.kafka = await startBroker({ dataDir: kafkaDir, port: servers.kafka.port })
        onTestFinished(() => servers.kafka.stop())
        return counted
      }
    })

    it('consuming waits for a Kafka that has not started; closing does not', async () => {
      const [port] = await freePorts(1)
      const { backend, lines } = await openBackend({
        kafka: { port: port! },
        redis: await startServer(startRedis()),
      })
      const consuming = backend.log.consume(consumeOptions(backend))
      const [result] = await Promise.all([
        codeOf(consuming),
        sleep(3_000).then(async () => {
          const startedAt = performance.now()
          await backend.close()
          expect(performance.now() - startedAt).toBeLessThan(5_000)
        }),
      ])
      expect(result).toBe('LOG_UNAVAILABLE')
      expect(lines.join('\n')).toMatch(/ECONNREFUSED/)

      const { backend: patient } = await openBackend({
        kafka: { port: port! },
        redis: await startServer(startRedis()),
      })
      const joining = codeOf(patient.log.consume(consumeOptions(patient)))
      await startServer(startBroker({ port: port! }))
      expect(await joining).toBe('TOPIC_MISSING')
    })

    it('counts every record once when Redis is killed mid-stream and restarted with its data', async () => {
      const servers = await startServers()
      const { backend, lines } = await openBackend(servers)
      const consumption = await backend.log.consume(consumeOptions(backend))
      const appending = new Appending(backend)
      await until(async () => (await seenTexts(backend)).length > 100)

      await servers.redis.kill('SIGKILL')
      await until(() => consumption.problem()?.includes('Redis') === true)
      const askedAt = performance.now()
      expect(await codeOf(backend.store.load(0, [ACCOUNT]))).toBe('STORE_UNAVAILABLE')
      expect(performance.now() - askedAt).toBeLessThan(500)
      const before = appending.count
      await until(() => appending.count > before + 100)
      await startServer(startRedis({ dataDir: servers.redisDir, port: servers.redis.port }))
      await until(() => consumption.problem() === undefined)
      await appending.stop()

      await expectAllCopied(backend)
      await expectAllSeen(backend)
      expect(lines.filter(line => /Redis at|the store/.test(line))).toEqual([
        expect.stringMatching(/it is away: .*; trying again$/),
        expect.stringMatching(/^the store: the trouble is over after \S+ s; \d+ attempts had failed$/),
      ])
    })

    it('rebuilds an emptied Redis from the log and publishes nothing again', async () => {
      const servers = await startServers()
      const { backend } = await openBackend(servers)
      const consumption = await backend.log.consume(consumeOptions(backend))
      const appending = new Appending(backend)
      await until(async () => (await seenTexts(backend)).length > 100)

      await servers.redis.kill('SIGKILL')
      await startServer(startRedis({ port: servers.redis.port }))
      await until(() => consumption.problem() === undefined)
      const before = appending.count
      await until(() => appending.count > before + 100)
      await appending.stop()

      await expectAllCopied(backend)
      await expectAllSeen(backend)
    })
  },
)

interface Stoppable {
  readonly port: number
  stop(): Promise<void>
}

async function startServer<T extends Stoppable>(starting: Promise<T>): Promise<T> {
  const server = await starting
  onTestFinished(() => server.stop())
  return server
}

async function startServers() {
  const [kafkaDir, redisDir] = [await temporaryDirectory(), await temporaryDirectory()]
  const [kafka, redis] = await Promise.all([
    startServer(startBroker({ dataDir: kafkaDir })),
    startServer(startRedis({ dataDir: redisDir })),
  ])
  return { kafka, redis, kafkaDir, redisDir }
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-outage-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function openBackend(servers: { readonly kafka: { port: number }; readonly redis: { port: number } }) {
  const lines: string[] = []
  const note = (line: string) => lines.push(line)
  const logger = withOutages({ info: note, warn: note, error: note })
  const connection = { brokers: [`127.0.0.1:${servers.kafka.port}`], clientId: 'test', logger }
  const isThere = 'pid' in servers.kafka
  if (isThere)
    await createTopics({
      ...connection,
      topics: [
        { name: INPUT, partitions: 1 },
        { name: OUTPUT, partitions: 1 },
      ],
    })
  const backend = await openKafkaRedisBackend({
    kafka: { ...connection, transactionalIdPrefix: 'test', sessionTimeoutMs: 6_000 },
    redis: { url: `redis://127.0.0.1:${servers.redis.port}`, namespace: 'test', logger },
  })
  onTestFinished(() => backend.close())
  return { backend, lines }
}

function consumeOptions(backend: Backend) {
  return { group: 'copy', topics: [INPUT], handler: new CopyAndRemember(backend), batchSize: 20 }
}

/**
 * Copies every record to the output and appends its text to the account's state. Recovers as the score loop
 * does.
 */
class CopyAndRemember implements PartitionHandler {
  readonly #backend: Backend
  readonly #owners = new Map<PartitionSession, { readonly fencingToken: string; storedOffset: number }>()

  constructor(backend: Backend) {
    this.#backend = backend
  }

  async assigned(session: PartitionSession): Promise<number> {
    const fencingToken = randomUUID()
    const { storedOffset } = await this.#backend.store.fence(session.partition, fencingToken)
    this.#owners.set(session, { fencingToken, storedOffset })
    return Math.min(storedOffset, session.committedOffset)
  }

  async process(session: PartitionSession, handedOver: RecordList): Promise<void> {
    const { committedOffset } = session
    const records = [...handedOver]
    const again = records.filter(({ offset }) => offset < committedOffset)
    const fresh = records.filter(({ offset }) => offset >= committedOffset)
    if (again.length > 0) await this.#remember(session, again, false)
    if (fresh.length > 0) await this.#remember(session, fresh, true)
  }

  released(session: PartitionSession): void {
    this.#owners.delete(session)
  }

  async #remember(session: PartitionSession, records: readonly LogRecord[], publish: boolean): Promise<void> {
    const { store } = this.#backend
    const owned = this.#owners.get(session)!
    const [state] = await store.load(session.partition, [ACCOUNT])
    const bytes = Buffer.concat([state ?? Buffer.alloc(0), ...records.map(({ value }) => value!)])
    const nextOffset = records.at(-1)!.offset + 1
    const account = { accountId: ACCOUNT, bytes, bucket: 0, dueAt: 0, listingsRemoved: [], listingsAdded: [] }
    const write = {
      fencingToken: owned.fencingToken,
      expectedStoredOffset: owned.storedOffset,
      storedOffset: nextOffset,
      state: undefined,
      accounts: [account],
      userChunks: [],
      counters: [],
    }
    const outputs = records.map(({ key, value }) => ({ topic: OUTPUT, key, value }))
    if (publish) await this.#backend.commitFlush(session, { outputs, nextOffset, write })
    else await store.save(session.partition, write)
    owned.storedOffset = nextOffset
  }
}

/** Appends numbers, one record after another, through every outage. */
class Appending {
  count = 0
  readonly #ended: Promise<void>
  #isStopping = false

  constructor(backend: Backend) {
    this.#ended = this.#run(backend)
    onTestFinished(() => this.stop())
  }

  async #run(backend: Backend): Promise<void> {
    while (!this.#isStopping) {
      try {
        await backend.log.append([{ topic: INPUT, key: ACCOUNT, value: `${this.count} ` }])
        this.count++
      } catch (error) {
        if (!isUpswellError(error, 'LOG_UNAVAILABLE')) throw error
      }
      await sleep(1)
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#ended
  }
}

/** Waits until the output has as many records as the input, then compares them. */
async function expectAllCopied(backend: Backend): Promise<void> {
  const input = (await all(backend.log, INPUT)).map(textOf)
  await until(async () => (await all(backend.log, OUTPUT)).length >= input.length)
  expect((await all(backend.log, OUTPUT)).map(textOf)).toEqual(input)
}

async function expectAllSeen(backend: Backend): Promise<void> {
  const input = (await all(backend.log, INPUT)).map(textOf)
  await until(async () => (await seenTexts(backend)).length >= input.length)
  expect(await seenTexts(backend)).toEqual(input)
}

async function seenTexts(backend: Backend): Promise<string[]> {
  const [state] = await backend.store.load(0, [ACCOUNT])
  return state === undefined ? [] : (Buffer.from(state).toString().match(/\d+ /g) ?? [])
}

async function codeOf(failing: Promise<unknown>): Promise<string> {
  return await failing.then(
    () => 'nothing was thrown',
    (error: unknown) => (isUpswellError(error) ? error.code : String(error)),
  )
}
