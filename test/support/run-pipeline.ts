import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../src/consumers/backend.ts'
import { loadSignals } from '../../src/consumers/ingest/load-signals.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import { tickRecord } from '../../src/log/signals-topic-records.ts'
import type { TopicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'

export interface PipelineOptions {
  /** Opens the same log and store each time. An open one is closed first. */
  readonly open: () => Promise<Backend>
  readonly topics: TopicNames
  readonly models: readonly ModelSource[]
  readonly signals: readonly Signal[]
  readonly batchSize: number
  /** Whether ticks pass while the signals come. */
  readonly ticks: boolean
  /** Whether scoring stops and starts again in the middle. */
  readonly restart: boolean
}

/** The values of `tier-changes` and `pql-events`, by account in the order of the topic. */
export interface Outputs {
  readonly tierChanges: ReadonlyMap<string, readonly string[]>
  readonly pqlEvents: ReadonlyMap<string, readonly string[]>
}

/**
 * Loads signals as history into a running scorer, as `upswell send --clock event` does, and returns its
 * outputs.
 */
export async function runPipeline(options: PipelineOptions): Promise<Outputs> {
  const { topics, signals } = options
  const half = Math.floor(signals.length / 2)
  let running = await begin(options)
  await send(running.backend, options, signals.slice(0, half))
  if (options.restart) {
    await end(running)
    running = await begin(options)
  }
  const ends = await send(running.backend, options, signals.slice(half))
  await untilStored(running.backend, ends)
  const tierChanges = await readByAccount(running.backend, topics['tier-changes'])
  const pqlEvents = await readByAccount(running.backend, topics['pql-events'])
  await end(running)
  return { tierChanges, pqlEvents }
}

interface Running {
  readonly backend: Backend
  readonly scoring: Scoring
}

async function begin({ open, topics, models, batchSize }: PipelineOptions): Promise<Running> {
  const backend = await open()
  const logger = { info: () => {}, warn: console.warn, error: console.error }
  const scoring = await startScoring({
    backend,
    publication: alwaysServing(topics),
    library: new ModelLibrary(),
    logger,
    shares: unlimitedShares(),
    onScored: () => {},
    source: { topic: topics.signals, group: 'score', batchSize },
    ticks: { models, now: Date.now, intervalMs: 200 },
    flush: { intervalMs: 100, now: () => performance.now() },
  })
  const partitions = await backend.log.partitions(topics.signals)
  while (scoring.assignments().length < partitions || !scoring.modelsActive()) await sleep(10)
  return { backend, scoring }
}

async function end({ backend, scoring }: Running): Promise<void> {
  await scoring.stop()
  await backend.close()
}

/** With ticks: sends the signals in pieces, and after each piece a tick at the time of its newest signal. */
export async function send(
  { log }: Backend,
  { topics, ticks }: Pick<PipelineOptions, 'topics' | 'ticks'>,
  signals: readonly Signal[],
): Promise<ReadonlyMap<number, number>> {
  const load = (part: readonly Signal[]) =>
    loadSignals(part, {
      log,
      topic: topics.signals,
      batchSize: 1000,
      clock: 'event',
      afterwards: 'stay',
      now: Date.now,
      onProgress: () => {},
    })
  const pieces = ticks ? 20 : 1
  const size = Math.ceil(signals.length / pieces)
  let ends: ReadonlyMap<number, number> = new Map()
  let newest = 0
  for (let i = 0; i < signals.length; i += size) {
    const piece = signals.slice(i, i + size)
    ends = (await load(piece)).ends
    newest = Math.max(newest, ...piece.map(({ occurredAt }) => occurredAt))
    if (!ticks) continue
    const partitions = await log.partitions(topics.signals)
    for (let partition = 0; partition < partitions; partition++) {
      await log.append(
        [0, 1].map(slice =>
          tickRecord(topics.signals, partition, newest, { slice, of: 2, scope: 'due', clock: 'event' }),
        ),
      )
    }
  }
  return ends
}

export async function untilStored({ store }: Backend, ends: ReadonlyMap<number, number>): Promise<void> {
  for (const [partition, offset] of ends)
    while ((await store.readPartition(partition)).storedOffset <= offset) await sleep(10)
}

export async function readByAccount({ log }: Backend, topic: string): Promise<Map<string, string[]>> {
  const byAccount = new Map<string, string[]>()
  for await (const record of log.readAll(topic)) {
    const account = String(record.key)
    const values = byAccount.get(account) ?? []
    values.push(String(record.value))
    byAccount.set(account, values)
  }
  return new Map([...byAccount].sort(([a], [b]) => (a < b ? -1 : 1)))
}
