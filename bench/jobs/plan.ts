import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchServers } from '../machine/bench-servers.ts'
import { forkForResult } from '../machine/child-process.ts'
import { createSignalsTopic, newInstallation } from '../machine/installation.ts'
import { runScoring } from '../score/score-run.ts'
import { recordsOf } from '../signals/fill-log.ts'
import { BENCH_MODELS, type BenchModel, readModel } from '../signals/models.ts'
import { fillTopic } from '../signals/signal-topic.ts'
import { benchSignals } from '../signals/signals.ts'
import { type Job, type Measurement, PARTITIONS } from './jobs.ts'
import { fillEmbedded } from './run-embedded.ts'

export interface Plan {
  readonly jobs: readonly PlannedJob[]
  cleanUp(): Promise<void>
}

/** How many processes score, and with how many threads each. */
export interface ScorersShape {
  readonly processes: number
  readonly threads: number
}

export interface PlannedJob {
  readonly title: string
  readonly type: Job['type'] | 'score'
  run(): Promise<Measurement>
}

const SEED = 42
const EMBEDDED_BATCH_SIZE = 500

export function planFold(count: number): Plan {
  const jobs = (Object.keys(BENCH_MODELS) as BenchModel[]).map(
    (model): PlannedJob => ({
      title: `decode and fold, ${model}`,
      type: 'fold',
      run: () => runInChild({ type: 'fold', model, signals: { count, seed: SEED } }),
    }),
  )
  return { jobs, cleanUp: async () => {} }
}

/** Fills an embedded log. Each run uses up a copy of it. */
export async function planEmbedded(count: number): Promise<Plan> {
  const root = await mkdtemp(join(tmpdir(), 'upswell-bench-'))
  const filled = join(root, 'filled')
  const directory = join(root, 'run')
  const cleanUp = () => rm(root, { recursive: true, force: true })
  const signals = benchSignals({ count, seed: SEED })
  const records = await fillEmbedded(filled, readModel('rolling-score'), signals).catch(async error => {
    await cleanUp()
    throw error
  })
  const job: PlannedJob = {
    title: `embedded, batches of ${EMBEDDED_BATCH_SIZE}`,
    type: 'embedded',
    run: async () => {
      await cp(filled, directory, { recursive: true })
      try {
        return await runInChild({ type: 'embedded', directory, records, batchSize: EMBEDDED_BATCH_SIZE })
      } finally {
        await rm(directory, { recursive: true })
      }
    },
  }
  return { jobs: [job], cleanUp }
}

/**
 * Fills a topic. Every run scores it from the start, with a new store, a new group and empty output topics.
 */
export async function planKafka(
  servers: BenchServers,
  count: number,
  scorers: readonly ScorersShape[],
): Promise<Plan> {
  const { brokers, log } = servers
  const installation = newInstallation(brokers)
  const { topics } = installation
  await createSignalsTopic(installation)
  const signals = recordsOf(benchSignals({ count, seed: SEED }), 'wall')
  const filled = await fillTopic(log, topics.signals, [readModel('rolling-score')], signals)
  const score = (shape: ScorersShape): PlannedJob => ({
    title: `Kafka and Redis, ${describeScorers(shape)}`,
    type: 'score',
    run: async () => {
      const run = await runScoring(servers, {
        installation,
        filled,
        ...shape,
        inspect: ({ log }) => countRecords(log.readAll(topics['tier-changes'])),
      })
      return { ...run, tierChanges: run.found, cpuSeconds: run.scoringCpuSeconds }
    },
  })
  const floor: PlannedJob = {
    title: 'a consumer that only parses: the floor',
    type: 'floor',
    run: () =>
      runInChild({
        type: 'floor',
        brokers,
        signalsTopic: topics.signals,
        group: `${installation.topicPrefix}floor-${Date.now()}`,
        records: filled.signals + PARTITIONS,
      }),
  }
  return {
    jobs: [...scorers.map(score), floor],
    cleanUp: () => log.deleteTopics(Object.values(topics)),
  }
}

/** `1 process`, `2 processes of 2 threads`. */
function describeScorers({ processes, threads }: ScorersShape): string {
  const many = `${processes} process${processes === 1 ? '' : 'es'}`
  return threads === 1 ? many : `${many} of ${threads} threads`
}

async function countRecords(records: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of records) count++
  return count
}

/**
 * Runs a job in its own process, with this process's Node flags.
 * @throws Error if it fails, after the child printed why
 */
function runInChild(job: Job): Promise<Measurement> {
  return forkForResult<Measurement>(new URL('./run-job.js', import.meta.url), job)
}
