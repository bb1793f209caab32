import { decodeHead, isHead } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import { startIngest } from '../../../src/consumers/ingest/ingest.ts'
import { PartitionShares, unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../../src/consumers/scorer/score-partitions.ts'
import { HeldOutages } from '../../../src/lib/outages.ts'
import { TrustedClock } from '../../../src/lib/trusted-clock.ts'
import { CHECKPOINTS, SOURCE_TOPICS, TOPIC_ROLES } from '../../../src/log/topic-names.ts'
import { decodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { createRandom, type Random } from '../../../src/sample/random.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { LibraryOfDefinitions } from '../library-of-definitions.ts'
import { Broker } from './broker.ts'
import { Group, type TopicPartition } from './group.ts'
import { JournaledStore } from './journaled-store.ts'
import { LogClient } from './log-client.ts'
import { loopBackend } from './loop-backend.ts'
import type { CallFaultKind, Operation, Plan } from './plan.ts'
import { Scheduler } from './scheduler.ts'
import { type Environment, SimulatedProcess } from './simulated-process.ts'
import { StoreClient } from './store-client.ts'
import { TOPICS } from './topics.ts'
import type { Wiring } from './wiring.ts'

export const SCORE_GROUP = 'score'
export const INGEST_GROUP = 'ingest'
const SOURCES = Object.keys(SOURCE_TOPICS)
const TICK_INTERVAL_MS = 1_000
const CLOCK_CHECK_INTERVAL_MS = 1_000
const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * The client that sends the signals does not die while there are any. In place of dying it gets no answer.
 */
const CLIENT_FAULTS: Readonly<Record<CallFaultKind, CallFaultKind>> = {
  'crash-before': 'lost',
  'crash-after': 'unclear',
  lost: 'lost',
  unclear: 'unclear',
  late: 'late',
  twice: 'twice',
  slow: 'slow',
  freeze: 'slow',
}

/** A worker runs one process after another. */
interface Worker {
  readonly number: number
  process: SimulatedProcess
  scoring: Scoring | undefined
  /** The models with which its process was started. */
  models: number
  starts: number
}

/** Everything outside the loop, and the workers that run it. */
export class World {
  readonly scheduler = new Scheduler()
  readonly broker: Broker
  readonly store: JournaledStore
  readonly library = new LibraryOfDefinitions()
  readonly workers: Worker[] = []
  /** Problems found during the run. */
  readonly problems: string[] = []
  readonly client: SimulatedProcess
  readonly clientLog: LogClient
  /** How far the wall clock is ahead of simulated time, ms. */
  wallMs: number
  /** The index of the configured model set. */
  models: number
  /** An operator moved the group back. After that, outputs may come again, and the store may be ahead. */
  wasMovedBack = false
  /** How often a partition was filled from a checkpoint. */
  restores = 0
  /** True once everything is sent and no fault happens any more. */
  isCalm = false
  readonly plan: Plan
  readonly #random: Random
  readonly #modelSets: readonly (readonly ModelDefinition[])[]
  readonly #wiring: Wiring
  readonly #groups: ReadonlyMap<string, Group>
  readonly #calls = new Map<Operation, number>()
  readonly #faults: ReadonlyMap<string, CallFaultKind>
  /** When the log and the store answer again, in simulated ms. */
  readonly #outages = { log: 0, store: 0 }
  readonly #environment: Environment
  readonly trace: (line: () => string) => void

  constructor(
    plan: Plan,
    modelSets: readonly (readonly ModelDefinition[])[],
    wiring: Wiring,
    trace: ((line: string) => void) | undefined,
  ) {
    this.plan = plan
    this.#modelSets = modelSets
    this.#wiring = wiring
    this.#random = createRandom('simulation', plan.seed)
    this.wallMs = plan.startMs
    this.models = plan.models
    this.#faults = new Map(plan.faults.map(({ on, nth, kind }) => [`${on} ${nth}`, kind]))
    const { scheduler } = this
    const random = this.#random
    this.trace =
      trace === undefined ? () => {} : line => trace(`${scheduler.nowMs.toFixed(1).padStart(9)} ${line()}`)
    this.broker = new Broker({
      now: () => Math.floor(this.wallMs + scheduler.nowMs),
      marker: write => {
        const isLate = !this.isCalm && random.chance(0.02)
        scheduler.after(isLate ? random.between(200, 5_000) : random.between(0.1, 8), write)
      },
      timeout: abort => scheduler.after(TRANSACTION_TIMEOUT_MS, abort),
    })
    for (const role of TOPIC_ROLES)
      this.broker.createTopic(
        TOPICS[role],
        role === 'signals' || role === CHECKPOINTS ? plan.partitions : plan.otherPartitions,
      )
    this.store = new JournaledStore((partition, storedOffset) =>
      this.#checkStoredOffset(partition, storedOffset),
    )
    this.#groups = new Map([
      [SCORE_GROUP, new Group(scheduler, random, partitionsOf([TOPICS.signals], plan.partitions))],
      [INGEST_GROUP, new Group(scheduler, random, partitionsOf(SOURCES, plan.otherPartitions))],
    ])
    this.#environment = {
      scheduler,
      random,
      faultOf: (operation, process) => this.#faultOf(operation, process),
      trace: this.trace,
      wallMs: () => this.wallMs + scheduler.nowMs,
      died: process => this.#died(process),
      froze: process => this.#silent(process),
    }
    this.client = new SimulatedProcess('client', this.#environment)
    this.clientLog = new LogClient(this.client, this.broker, this.#groups, wiring)
    for (let number = 0; number < plan.workers; number++) {
      const process = this.#newProcess(number, 0)
      const worker: Worker = { number, process, scoring: undefined, models: plan.models, starts: 0 }
      this.workers.push(worker)
      scheduler.after(random.between(0, 50), () => this.#start(worker))
    }
  }

  rebalance(): void {
    for (const group of this.#groups.values()) group.rebalance()
  }

  /** Configures other models. Each worker restarts with them, by itself or after a crash. */
  configure(models: number): void {
    this.models = models
    for (const worker of this.workers)
      this.scheduler.after(this.#random.between(0, 4_000), () => {
        if (worker.models !== this.models) void this.#stop(worker)
      })
  }

  beginOutage(of: 'log' | 'store', forMs: number): void {
    this.#outages[of] = this.scheduler.nowMs + forMs
  }

  moveBack(records: number): void {
    for (let partition = 0; partition < this.plan.partitions; partition++) {
      const decided = this.broker.decidedOffset(SCORE_GROUP, TOPICS.signals, partition)
      // Further back, records would be lost that no checkpoint and no log can restore.
      const least = this.broker.firstOffset(TOPICS.signals, partition) > 0 ? this.#latestCut(partition) : 0
      const offset = Math.min(decided, Math.max(least, decided - records))
      this.broker.setOffset(SCORE_GROUP, TOPICS.signals, partition, offset)
    }
    this.wasMovedBack = true
    this.#groups.get(SCORE_GROUP)!.rebalance()
  }

  /** Takes a partition of the store from its owner and empties half of it. */
  clearInPart(partition: number): void {
    void this.store.clearInPartForGood(partition, 'another process that empties it')
  }

  /**
   * Compacts this share of a partition. If `signals` depends on the checkpoints, it stops at the newest one:
   * Kafka leaves its records alone for long in that case.
   */
  compactCheckpoints(partition: number, share: number): void {
    const topic = TOPICS[CHECKPOINTS]
    const end = Math.ceil(share * this.broker.endOffset(topic, partition))
    const hasRetention = this.broker.firstOffset(TOPICS.signals, partition) > 0
    const most = hasRetention ? this.#headOf(partition)!.offset + 1 : end
    this.broker.compact(topic, partition, Math.min(end, most))
  }

  /** Deletes signals that a checkpoint replaces, if one is complete. */
  deleteSignals(partition: number, share: number): void {
    const head = this.#headOf(partition)
    if (head === undefined || this.broker.compactedTo(TOPICS[CHECKPOINTS], partition) > head.offset + 1)
      return
    const { cut } = head
    if (cut > this.broker.committedOffset(SCORE_GROUP, TOPICS.signals, partition)) return
    const first = this.broker.firstOffset(TOPICS.signals, partition)
    this.broker.deleteBefore(TOPICS.signals, partition, first + Math.ceil(share * (cut - first)))
  }

  /** The newest complete checkpoint: the offset of its head, and its cut. */
  #headOf(partition: number): { readonly offset: number; readonly cut: number } | undefined {
    const { records } = this.broker.read(TOPICS[CHECKPOINTS], partition, 0, Number.POSITIVE_INFINITY)
    const head = records.findLast(isHead)
    return head === undefined ? undefined : { offset: head.offset, cut: decodeHead(head)!.cut }
  }

  /** The cut of the newest checkpoint whose head is written, committed or not. */
  #latestCut(partition: number): number {
    const heads = this.broker.writtenRecords(TOPICS[CHECKPOINTS], partition).filter(isHead)
    return Math.max(0, ...heads.map(head => decodeHead(head)!.cut))
  }

  /** Ends all faults. */
  calmDown(): void {
    this.isCalm = true
    for (const { process } of this.workers) {
      process.clockErrorMs = 0
      process.thaw()
    }
  }

  /** The reason why it is not at rest, or undefined. */
  async unrest(): Promise<string | undefined> {
    if (!this.broker.isQuiet()) return 'a transaction has not ended'
    for (const worker of this.workers) {
      const { number, process, scoring, models } = worker
      if (!process.isAlive || process.isFrozen || scoring === undefined)
        return `worker ${number} is not running`
      if (models !== this.models) return `worker ${number} was not restarted with the configured models`
      if (scoring.problem() !== undefined) return `worker ${number}: ${scoring.problem()}`
      if (!scoring.modelsActive()) return `worker ${number} does not run the configured models`
    }
    for (let partition = 0; partition < this.plan.partitions; partition++) {
      const end = this.broker.committedEnd(TOPICS.signals, partition)
      const committed = this.broker.committedOffset(SCORE_GROUP, TOPICS.signals, partition)
      if (committed < end) return `signals/${partition} is committed to ${committed} of ${end}`
      const storedOffset = this.store.storedOffset(partition)
      if (storedOffset < end) return `the store's partition ${partition} is at ${storedOffset} of ${end}`
    }
    for (const { topic, partition } of partitionsOf(SOURCES, this.plan.otherPartitions)) {
      const end = this.broker.committedEnd(topic, partition)
      if (this.broker.committedOffset(INGEST_GROUP, topic, partition) < end)
        return `${topic}/${partition} is not ingested`
    }
    return await this.#isDue()
  }

  sourcesOf(models: number) {
    return this.#modelSets[models]!.map(model => this.library.sourceFor(model))
  }

  /** Time must have passed for every account; released ones keep their place of history in the due index. */
  async #isDue(): Promise<string | undefined> {
    for (let partition = 0; partition < this.plan.partitions; partition++) {
      const due = await this.store.memory.countDue(partition, this.wallMs + this.scheduler.nowMs)
      if (due > 0) return `${due} accounts of partition ${partition} are due`
      const { state } = await this.store.memory.readPartition(partition)
      if (decodePartitionMemory(state, this.library).release !== undefined)
        return `ticks have not reached all released accounts of partition ${partition}`
    }
    return undefined
  }

  #newProcess(number: number, starts: number): SimulatedProcess {
    return new SimulatedProcess(`worker-${number}.${starts}`, this.#environment)
  }

  #start(worker: Worker): void {
    const { process } = worker
    worker.models = this.models
    worker.scoring = undefined
    const log = new LogClient(process, this.broker, this.#groups, this.#wiring)
    const store = new StoreClient(
      process,
      this.store,
      this.#wiring,
      partition => this.broker.committedOffset(SCORE_GROUP, TOPICS.signals, partition),
      () => {
        this.restores += 1
      },
    )
    const backend = loopBackend(log, store, this.#wiring)
    const traceLine = (line: string) => this.trace(() => `${process.name}: ${line}`)
    const { checkpoints, flushIntervalMs } = this.plan
    const trueTime = () => this.wallMs + this.scheduler.nowMs
    const lines = { info: traceLine, warn: traceLine, error: traceLine }
    const logger = { ...lines, outages: new HeldOutages(lines, trueTime) }
    const clock = new TrustedClock(
      { wall: process.now, monotonic: trueTime, reference: async () => trueTime() },
      logger,
    )
    process.every(CLOCK_CHECK_INTERVAL_MS, () => void clock.check())
    const starting = async (): Promise<void> => {
      worker.scoring = await startScoring({
        backend,
        publication: alwaysServing(TOPICS),
        library: this.library,
        logger,
        shares: sharesOf(this.plan),
        onScored: () => {},
        source: { topic: TOPICS.signals, group: SCORE_GROUP, batchSize: this.plan.batchSize },
        ticks: {
          models: this.sourcesOf(worker.models),
          now: clock.now,
          isInDoubt: clock.isInDoubt,
          sawRecord: time => clock.sawRecord(time),
          intervalMs: TICK_INTERVAL_MS,
          every: process.every,
        },
        ...(flushIntervalMs > 0 ? { flush: { intervalMs: flushIntervalMs, now: process.now } } : {}),
        ...(checkpoints === undefined
          ? {}
          : { checkpoints: { topic: TOPICS[CHECKPOINTS], timing: { ...checkpoints, now: process.now } } }),
      })
    }
    const ingesting = (): Promise<unknown> =>
      startIngest({
        log,
        topics: TOPICS,
        group: INGEST_GROUP,
        batchSize: this.plan.batchSize,
        now: clock.now,
        logger,
        onIngested: () => {},
      })
    // A process that cannot start ends, and is started again.
    Promise.all([clock.check().then(starting), clock.check().then(ingesting)]).catch(error => {
      traceLine(`cannot start: ${(error as Error).message}`)
      process.die()
    })
  }

  /** Lets the batch under way finish, then leaves the group. */
  async #stop(worker: Worker): Promise<void> {
    const { process, scoring } = worker
    if (!process.isAlive) return
    this.trace(() => `${process.name}: is stopped`)
    await scoring?.stop()
    process.die()
  }

  #died(process: SimulatedProcess): void {
    this.#silent(process)
    const worker = this.workers.find(each => each.process === process)
    if (worker === undefined) return
    this.scheduler.after(this.#random.between(50, 3_000), () => {
      worker.starts += 1
      worker.process = this.#newProcess(worker.number, worker.starts)
      this.#start(worker)
    })
  }

  #silent(process: SimulatedProcess): void {
    for (const group of this.#groups.values()) group.silent(process)
  }

  #faultOf(operation: Operation, process: SimulatedProcess): CallFaultKind | undefined {
    if (this.isCalm) return undefined
    const count = (this.#calls.get(operation) ?? 0) + 1
    this.#calls.set(operation, count)
    const side = operation.startsWith('log') ? 'log' : 'store'
    if (this.scheduler.nowMs < this.#outages[side]) return this.#random.chance(0.9) ? 'lost' : 'unclear'
    const fault = this.#faults.get(`${operation} ${count}`)
    return process === this.client && fault !== undefined ? CLIENT_FAULTS[fault] : fault
  }

  #checkStoredOffset(partition: number, storedOffset: number): void {
    const decided = this.broker.decidedOffset(SCORE_GROUP, TOPICS.signals, partition)
    if (storedOffset <= decided || this.wasMovedBack) return
    this.problems.push(
      `the store's partition ${partition} is at ${storedOffset}, ahead of the committed offset ${decided}`,
    )
  }
}

function partitionsOf(topics: readonly string[], partitions: number): TopicPartition[] {
  return topics.flatMap(topic => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })))
}

/**
 * The memory of one process, by the seed: ample; for a few accounts, so that steps are cut and flushes come
 * early; or for one partition at a time. Plans with
 * many signals would take too long with little memory.
 */
function sharesOf({ seed, kind }: Plan): PartitionShares {
  if (kind !== undefined) return unlimitedShares()
  switch (seed % 3) {
    case 0:
      return unlimitedShares()
    case 1:
      return new PartitionShares(64 * 1024, 1024)
    default:
      return new PartitionShares(128 * 1024, 128 * 1024)
  }
}
