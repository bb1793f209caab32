import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../../src/consumers/backend.ts'
import { beginReplay } from '../../../src/consumers/lineage/begin-replay.ts'
import { Lineages } from '../../../src/consumers/lineage/lineages.ts'
import type { Replay } from '../../../src/consumers/lineage/replay-record.ts'
import { scoreLineages, scoreReplay } from '../../../src/consumers/lineage/score-lineages.ts'
import { unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import type { Scoring } from '../../../src/consumers/scorer/score-partitions.ts'
import type { Log } from '../../../src/log/log.ts'
import { type TopicNames, topicNames } from '../../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../../src/log/topic-settings.ts'
import type { ModelSource } from '../../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { createRandom, type Random } from '../../../src/sample/random.ts'
import { LibraryOfDefinitions } from '../../support/library-of-definitions.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { MemoryBroker, until } from './memory-broker.ts'
import { MemoryLog } from './memory-log.ts'
import { MortalProcess } from './mortal-process.ts'

export const LINEAGE_NAMES = { namespace: 'default', topicPrefix: '', group: 'upswell' }
export const TOPICS = topicNames('')
const TICK_MS = 8
const LOOK_MS = 4

export interface InstallationOptions {
  readonly seed: number
  readonly partitions: number
  readonly batchSize: number
  readonly checkpoints: boolean
}

/** What a worker scores: all serving lineages, or one replay. */
type Job = { readonly type: 'serving' } | { readonly type: 'replay'; readonly name: string }

export interface Worker {
  readonly job: Job
  process: MortalProcess
  scoring: Scoring | undefined
  lineages: Lineages
  isWanted: boolean
}

/** Log and stores in memory, and processes on them that die and start again. */
export class Installation {
  readonly broker: MemoryBroker
  readonly library = new LibraryOfDefinitions()
  readonly workers: Worker[] = []
  readonly lineages: Lineages
  readonly log: Log
  /** The wall clock, ms. */
  wallMs = 0
  /** The most calls that a process makes before it dies. */
  mostCalls = Number.POSITIVE_INFINITY
  /** The configured models of processes that start from now on. */
  configured: readonly ModelSource[] = []
  readonly options: InstallationOptions
  readonly warnings: string[] = []
  readonly #random: Random
  readonly #stores = new Map<string, MemoryStore>()

  constructor(options: InstallationOptions) {
    this.options = options
    this.#random = createRandom('replay', options.seed)
    this.broker = new MemoryBroker(() => this.wallMs)
    for (const { name, partitions } of topicsOfInstallation(TOPICS, options.partitions))
      this.broker.createTopic(name, partitions)
    const client = new MortalProcess(this.#random)
    const backend = this.backend(client)
    this.log = backend.log
    this.lineages = new Lineages(LINEAGE_NAMES, backend, this.library)
  }

  store(namespace = LINEAGE_NAMES.namespace): MemoryStore {
    const found = this.#stores.get(namespace) ?? new MemoryStore()
    this.#stores.set(namespace, found)
    return found
  }

  backend(process: MortalProcess): Backend {
    const log = new MemoryLog(this.broker, process)
    const open = (namespace: string): Backend => {
      const store = process.guard(this.store(namespace))
      return {
        log,
        store,
        commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
          await session.commit(outputs, nextOffset, metadata)
          await store.save(session.partition, write)
        },
        inNamespace: async other => open(other),
        close: async () => {},
      }
    }
    return open(LINEAGE_NAMES.namespace)
  }

  async begin(replay: Replay, partitions: number): Promise<void> {
    const { names } = await this.lineages.replay(replay.name)
    await beginReplay(this.log, names, replay, { partitions, now: this.wallMs })
  }

  /** Runs `work` in a process that dies at one of its calls. */
  dying<T>(calls: number, work: (lineages: Lineages) => Promise<T>): Promise<T> {
    const process = new MortalProcess(this.#random, calls)
    return work(new Lineages(LINEAGE_NAMES, this.backend(process), this.library))
  }

  /** Starts a process, and a new one whenever it dies. */
  start(job: Job = { type: 'serving' }): Worker {
    const process = new MortalProcess(this.#random, this.#lifetime())
    const worker: Worker = { job, process, scoring: undefined, lineages: this.lineages, isWanted: true }
    this.workers.push(worker)
    this.#run(worker)
    return worker
  }

  async stop(worker: Worker): Promise<void> {
    worker.isWanted = false
    await worker.scoring?.stop()
    worker.process.die()
  }

  async stopAll(): Promise<void> {
    for (const worker of this.workers) {
      worker.isWanted = false
      worker.process.die()
    }
    await sleep(5)
  }

  /** After this no process dies. */
  calmDown(): void {
    this.mostCalls = Number.POSITIVE_INFINITY
    for (const { process } of this.workers) process.die()
  }

  /** Returns once everything in the logs of these lineages is copied and scored, and nothing new comes. */
  async untilAtRest(replays: readonly string[]): Promise<void> {
    let records = -1
    let why = ''
    const rested = async () => {
      // Time passes during the wait: silence shows that a partition whose end is a transaction marker is read
      // to its end.
      this.wallMs++
      why = (await this.unrest(replays)) ?? ''
      return why === ''
    }
    for (;;) {
      await until('at rest', rested).catch(error => {
        throw new Error(`${(error as Error).message}: ${why}; ${this.#problems()}`)
      })
      const now = this.#recordCount()
      if (now === records) return
      records = now
      await sleep(3 * TICK_MS)
    }
  }

  async unrest(replays: readonly string[]): Promise<string | undefined> {
    for (const { scoring, process, job } of this.workers.filter(({ isWanted }) => isWanted)) {
      if (process.isDead || scoring === undefined) return `a ${job.type} worker is not up`
      if (scoring.problem() !== undefined) return `${job.type}: ${scoring.problem()}`
      if (!scoring.modelsActive()) return `${job.type}: models`
    }
    const unscored = await this.#unscored(TOPICS.signals, this.store(), 'upswell-score')
    if (unscored !== undefined) return unscored
    for (const name of replays) {
      const topics = topicNames(`${name}.`)
      const groups = `upswell-${name}`
      const { origin } = JSON.parse(String(this.broker.records(topics.signals, 0)[0]!.value)) as Replay
      const notCopied = this.#behind(origin.topic, `${groups}-copy`)
      if (notCopied !== undefined) return `not copied: ${notCopied}`
      const store = this.store(`${LINEAGE_NAMES.namespace}/${name}`)
      const behind = await this.#unscored(topics.signals, store, `${groups}-score`)
      if (behind !== undefined) return behind
      for (let partition = 0; partition < this.broker.partitions(topics.signals); partition++) {
        const { state } = await store.readPartition(partition)
        const { promotion } = decodePartitionMemory(state, this.library)
        if (promotion?.namespace === `${LINEAGE_NAMES.namespace}/${name}` && !promotion.isComplete)
          return `${name}/${partition} is not announced`
      }
    }
    return undefined
  }

  async #unscored(topic: string, store: MemoryStore, group: string): Promise<string | undefined> {
    for (let partition = 0; partition < this.broker.partitions(topic); partition++) {
      const last = this.broker.records(topic, partition).at(-1)
      const storedOffset = await store.readStoredOffset(partition)
      if (last !== undefined && storedOffset <= last.offset)
        return `${topic}/${partition}: ${storedOffset} of ${last.offset + 1}`
    }
    return this.#behind(topic, group)
  }

  #behind(topic: string, group: string): string | undefined {
    for (let partition = 0; partition < this.broker.partitions(topic); partition++) {
      const last = this.broker.records(topic, partition).at(-1)
      const committed = this.broker.committed(group, topic, partition) ?? 0
      if (last !== undefined && committed <= last.offset)
        return `${group} in ${topic}/${partition} is at ${committed} of ${last.offset + 1}`
    }
    return undefined
  }

  #problems(): string {
    const problems = this.workers.map(({ process }) => process.problem)
    return [...problems, ...this.warnings.slice(-5)].filter(text => text !== '').join('; ')
  }

  #recordCount(): number {
    let count = 0
    for (const partitions of this.broker.topics.values())
      for (const records of partitions) count += records.length
    return count
  }

  #lifetime(): number {
    return Number.isFinite(this.mostCalls) ? this.#random.integer(1, this.mostCalls) : this.mostCalls
  }

  #run(worker: Worker): void {
    const { process } = worker
    worker.scoring = undefined
    const lineages = new Lineages(LINEAGE_NAMES, this.backend(process), this.library)
    worker.lineages = lineages
    process.onDeath(() => {
      if (!worker.isWanted) return
      setTimeout(
        () => {
          if (!worker.isWanted) return
          worker.process = new MortalProcess(this.#random, this.#lifetime())
          this.#run(worker)
        },
        this.#random.integer(0, 10),
      )
    })
    const warn = (line: string): void => {
      if (!process.isDead) this.warnings.push(line)
    }
    const options = {
      lineages,
      library: this.library,
      logger: { info: () => {}, warn, error: warn },
      shares: unlimitedShares(),
      onScored: () => {},
      batchSize: this.options.batchSize,
      flush: { intervalMs: 15, now: () => performance.now() },
      lookIntervalMs: LOOK_MS,
      checkpointIntervalMs: this.options.checkpoints ? 20_000 : 0,
      ticks: {
        models: worker.job.type === 'replay' ? undefined : this.configured,
        now: () => this.wallMs,
        intervalMs: TICK_MS,
        every: (intervalMs: number, call: () => void) => {
          const timer = setInterval(() => {
            if (process.isDead) clearInterval(timer)
            else call()
          }, intervalMs)
          return () => clearInterval(timer)
        },
      },
    }
    const starting = async (): Promise<void> => {
      const { job } = worker
      const scoring =
        job.type === 'serving'
          ? await scoreLineages(options)
          : await scoreReplay(options, await lineages.replay(job.name))
      if (worker.process === process) worker.scoring = scoring
    }
    starting().catch(error => {
      warn(`cannot start: ${(error as Error).message}`)
      process.die()
    })
  }
}

export function topicsOf(name: string): TopicNames {
  return topicNames(`${name}.`)
}
