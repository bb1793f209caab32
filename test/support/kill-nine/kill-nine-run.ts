import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { openKafkaRedisBackend } from '../../../src/app/kafka-redis-backend.ts'
import type { Backend } from '../../../src/consumers/backend.ts'
import { loadSignals } from '../../../src/consumers/ingest/load-signals.ts'
import { createTopics } from '../../../src/log/kafka/kafka-topics.ts'
import { SOURCE_TOPICS, type SourceTopic, topicNames } from '../../../src/log/topic-names.ts'
import { createRandom, type Random } from '../../../src/sample/random.ts'
import { DAY_MS } from '../../../src/signals/time.ts'
import { silent, until } from '../log-handlers.ts'
import { Load } from './kill-nine-load.ts'
import { MODEL_FILES } from './kill-nine-models.ts'
import { OUTAGES, type Outage, Servers } from './kill-nine-servers.ts'
import { SignalSource } from './kill-nine-signals.ts'
import { type Stage, Worker, type WorkerRole } from './kill-nine-workers.ts'

/** At least one for each member of the group. The test waits for every process to work. */
export const PARTITIONS = 8
const MOST_THREADS = 2
export const MOST_IN_A_BATCH = 20
const NAME = 'kill-nine'
const HISTORY_SIGNALS = 600
const HISTORY_DAYS = 30
/**
 * The longest that the group may take to give a worker a partition: it waits for dead members, one session
 * after another.
 */
const WORK_PATIENCE_MS = 90_000
const NEVER_MS = 3_600_000
const SETTLED_MS = 300
const EARLIEST_OUTAGE_AFTER_KILLS = 3

export interface TortureOptions {
  /** The built command line. */
  readonly main: string
  readonly kills: number
  readonly seed: number
  readonly say: (line: string) => void
}

export interface TortureCounts {
  readonly kills: Readonly<Record<string, number>>
  readonly outages: readonly Outage[]
  /** How often a process was frozen until others had its partitions, and then continued. */
  readonly zombies: number
}

/**
 * Runs a Kafka, a Redis, workers of the real command line, and an endless load of signals. Kills workers with
 * SIGKILL and replaces them; the servers go away and come back. `end` leaves a log read to its end and a
 * store at rest, ready to be checked.
 */
export class Torture {
  readonly topics = topicNames(`${NAME}.`)
  readonly workers: Worker[] = []
  readonly #options: TortureOptions
  readonly #random: Random
  readonly #servers: Servers
  readonly #folder: string
  readonly #kills = new Map<string, number>()
  readonly #outages: Outage[] = []
  readonly #sentUpTo = new Map<string, number>()
  #live: Worker[] = []
  #frozen: Worker | undefined
  #zombies = 0
  #killCount = 0
  #outagesToCome: Outage[] = []
  backend!: Backend
  load!: Load

  static async start(options: TortureOptions): Promise<Torture> {
    const folder = await mkdtemp(join(tmpdir(), 'upswell-torture-'))
    for (const state of ['before', 'after']) await mkdir(join(folder, state))
    for (const [file, text] of Object.entries(MODEL_FILES)) await writeFile(join(folder, file), text)
    const torture = new Torture(options, await Servers.start(), folder)
    await torture.#begin()
    return torture
  }

  private constructor(options: TortureOptions, servers: Servers, folder: string) {
    this.#options = options
    this.#random = createRandom(NAME, options.seed, 'plan')
    this.#servers = servers
    this.#folder = folder
  }

  get counts(): TortureCounts {
    return { kills: Object.fromEntries(this.#kills), outages: this.#outages, zombies: this.#zombies }
  }

  async #begin(): Promise<void> {
    const kafka = { brokers: [this.#servers.broker], clientId: NAME, logger: silent }
    // Some accounts are ahead of the wall clock, and history has times of its own, which retention would use.
    const config = { 'message.timestamp.after.max.ms': String(400 * DAY_MS), 'retention.ms': '-1' }
    const topics = Object.values(this.topics).map(name => ({ name, partitions: PARTITIONS, config }))
    await createTopics({ ...kafka, topics })
    this.backend = await openKafkaRedisBackend({
      kafka: { ...kafka, transactionalIdPrefix: `${NAME}-test` },
      redis: { url: this.#servers.redisUrl, namespace: NAME, logger: silent },
    })
    this.#startScoreWorkers(2)
    this.#startWorker('ingest')
    await until(async () => Math.min(...(await this.#storedOffsets())) > 0)
    await this.#loadHistory()
    this.load = new Load({ log: this.backend.log, topics: this.topics, seed: this.#options.seed })
  }

  async #loadHistory(): Promise<void> {
    const { seed } = this.#options
    const signals = new SignalSource(seed, 'history')
    const until = Date.now()
    const stepMs = (HISTORY_DAYS * DAY_MS) / HISTORY_SIGNALS
    const history = Array.from({ length: HISTORY_SIGNALS }, (_, i) =>
      signals.next(until - (HISTORY_SIGNALS - i) * stepMs, false),
    )
    await loadSignals(history, {
      log: this.backend.log,
      topic: this.topics.signals,
      batchSize: 100,
      clock: 'event',
      afterwards: 'live',
      now: Date.now,
      onProgress: () => {},
    })
  }

  // ---- Workers ----

  #startWorker(role: WorkerRole, settings: Readonly<Record<string, string>> = {}): Worker {
    const pulse = this.#killCount < this.#options.kills / 2 ? 'before/pulse.yaml' : 'after/pulse.yaml'
    const worker = new Worker(this.#options.main, role, {
      KAFKA_BROKERS: this.#servers.broker,
      REDIS_URL: this.#servers.redisUrl,
      // A rollout: old workers run the models of before, new ones the models of after.
      UPSWELL_MODELS: ['fit.yaml', pulse].map(file => join(this.#folder, file)).join(','),
      UPSWELL_NAMESPACE: NAME,
      UPSWELL_TOPIC_PREFIX: `${NAME}.`,
      UPSWELL_GROUP: NAME,
      UPSWELL_SESSION_TIMEOUT_MS: '6000',
      UPSWELL_TICK_INTERVAL_MS: '200',
      UPSWELL_BATCH_SIZE: String(this.#random.integer(2, MOST_IN_A_BATCH)),
      UPSWELL_PORT: '0',
      UPSWELL_INSTANCE_ID: this.#freeInstanceId(role),
      ...settings,
    })
    this.workers.push(worker)
    this.#live.push(worker)
    return worker
  }

  /** A new worker takes the place of a killed one in the group, but not that of a frozen one. */
  #freeInstanceId(role: WorkerRole): string {
    const taken = new Set([...this.#live, this.#frozen].map(worker => worker?.instanceId))
    for (let i = 1; ; i++) if (!taken.has(`${role}-${i}`)) return `${role}-${i}`
  }

  #startScoreWorkers(wanted: number): void {
    for (let i = this.#of('score').length; i < wanted; i++)
      this.#startWorker('score', {
        UPSWELL_SCORE_THREADS: String(this.#random.integer(1, MOST_THREADS)),
      })
  }

  #of(role: WorkerRole): Worker[] {
    return this.#live.filter(worker => worker.role === role)
  }

  #freeze(worker: Worker): void {
    this.#live = this.#live.filter(each => each !== worker)
    this.#frozen = worker
    worker.freeze()
  }

  #wakeFrozen(): void {
    if (this.#frozen === undefined) return
    this.#frozen.wake()
    this.#live.push(this.#frozen)
    this.#frozen = undefined
    this.#zombies++
  }

  async #kill(victims: readonly Worker[], stage?: Stage): Promise<void> {
    this.#assertAlive()
    this.#live = this.#live.filter(worker => !victims.includes(worker))
    const stages = await Promise.all(victims.map(victim => stage ?? victim.stage()))
    await Promise.all(victims.map(victim => victim.kill()))
    for (const [i, { role }] of victims.entries()) {
      const what = `${role} ${stages[i]}`
      this.#kills.set(what, (this.#kills.get(what) ?? 0) + 1)
      this.#killCount++
    }
  }

  #assertAlive(): void {
    for (const worker of this.#live)
      if (worker.hasEnded) throw new Error(`upswell ${worker.role} ended by itself:\n${worker.output}`)
  }

  // ---- Mishaps ----

  /** Kills processes and takes servers away, until this many processes were killed. */
  async run(): Promise<void> {
    const { kills, say } = this.#options
    const outageEvery = Math.max(EARLIEST_OUTAGE_AFTER_KILLS, Math.floor(kills / (OUTAGES.length + 1)))
    let nextOutage = outageEvery
    while (this.#killCount < kills) {
      if (this.#killCount >= nextOutage) {
        nextOutage += outageEvery
        await this.#sufferOutage()
      }
      await this.#killSome()
      say(`${this.#killCount} of ${kills} killed, ${this.load.acknowledged.length} signals appended`)
    }
  }

  async #sufferOutage(): Promise<void> {
    if (this.#outagesToCome.length === 0) this.#outagesToCome = this.#random.shuffled(OUTAGES)
    const outage = this.#outagesToCome.shift()!
    const awayMs = this.#random.integer(0, 1_500)
    const victims = this.#random.chance(0.5) ? [this.#random.pick(this.#of('score'))] : []
    const victimsDieAfterMs = this.#random.integer(0, 2_000)
    await Promise.all([
      this.#servers.suffer(outage, awayMs),
      sleep(victimsDieAfterMs).then(() => this.#kill(victims)),
    ])
    this.#outages.push(outage)
    this.#options.say(outage)
    this.#startScoreWorkers(2)
  }

  async #killSome(): Promise<void> {
    const random = this.#random
    const score = random.shuffled(this.#of('score'))
    const mode = random.next()
    const killed = mode < 0.3 ? 1 : mode < 0.5 ? score.length - 1 : score.length
    const victims = score.slice(0, Math.max(1, killed))
    const survivor = score[victims.length]
    if (random.chance(0.35)) victims.push(...this.#of('ingest'))
    if (random.chance(0.12)) {
      await sleep(random.integer(0, 1_500))
      await this.#kill(victims)
    } else {
      await Promise.all(victims.map(victim => victim.worked(WORK_PATIENCE_MS)))
      // Other workers now own its partitions too.
      this.#wakeFrozen()
      // Early kills are more frequent: just after a start there is the most to do and to go wrong.
      await sleep(1_000 * random.next() ** 2)
      await this.#kill(victims, 'at work')
    }
    if (survivor !== undefined && this.#frozen === undefined && random.chance(0.6)) this.#freeze(survivor)
    await sleep(random.integer(0, 300))
    this.#startScoreWorkers(random.integer(2, 3))
    if (this.#of('ingest').length === 0) this.#startWorker('ingest')
  }

  // ---- The end ----

  /**
   * Kills all workers, lets new ones finish all work, and stops them in order. Returns the exit codes of the
   * last.
   */
  async end(): Promise<readonly (number | null)[]> {
    this.#wakeFrozen()
    await this.#kill(this.#live)
    await this.load.stop()
    for (const { topic, partition, offset } of this.load.acknowledged) {
      const key = `${topic}/${partition}`
      this.#sentUpTo.set(key, Math.max(offset, this.#sentUpTo.get(key) ?? -1))
    }
    // Without ticks the log has an end.
    const score = this.#startWorker('score', { UPSWELL_TICK_INTERVAL_MS: String(NEVER_MS) })
    const ingest = this.#startWorker('ingest')
    await until(() => this.#isAllIngested(), WORK_PATIENCE_MS)
    const ended = [await ingest.stop()]
    // A worker may append the models once, after what it read.
    for (let ends = await this.#ends(), before = ''; before !== ends.join(); ends = await this.#ends()) {
      before = ends.join()
      const isRead = async () => (await this.#storedOffsets()).every((mark, i) => mark >= ends[i]!)
      await until(isRead, WORK_PATIENCE_MS)
      await sleep(SETTLED_MS)
    }
    ended.push(await score.stop())
    return ended.map(({ code }) => code)
  }

  async #isAllIngested(): Promise<boolean> {
    const kafka = new Kafka({ brokers: [this.#servers.broker], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    try {
      const topics = (Object.keys(SOURCE_TOPICS) as SourceTopic[]).map(role => this.topics[role])
      const committed = await admin.fetchOffsets({ groupId: `${NAME}-ingest`, topics })
      return committed.every(({ topic, partitions }) =>
        partitions.every(
          ({ partition, offset }) => Number(offset) > (this.#sentUpTo.get(`${topic}/${partition}`) ?? -2),
        ),
      )
    } finally {
      await admin.disconnect()
    }
  }

  /** The offset after the last record of each partition of the log. */
  async #ends(): Promise<number[]> {
    const ends = Array.from({ length: PARTITIONS }, () => 0)
    for await (const { partition, offset } of this.backend.log.readAll(this.topics.signals))
      ends[partition] = offset + 1
    return ends
  }

  async #storedOffsets(): Promise<number[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    return await Promise.all(
      partitions.map(async partition => (await this.backend.store.readPartition(partition)).storedOffset),
    )
  }

  /** Stops everything, however far it came. */
  async stop(): Promise<void> {
    this.#wakeFrozen()
    for (const worker of this.#live) await worker.kill()
    await this.load?.stop().catch(() => {})
    await this.backend?.close()
    await this.#servers.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
