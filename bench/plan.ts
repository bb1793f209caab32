import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from './jobs.ts'
import { deleteBenchTopics } from './kafka-bench-topics.ts'
import { BENCH_MODELS, type BenchModel, readModel } from './models.ts'
import { fillEmbedded } from './run-embedded.ts'
import { fillKafka } from './run-kafka.ts'
import { findServices } from './services.ts'
import { benchSignals } from './signals.ts'

export const PARTS = ['fold', 'embedded', 'kafka'] as const
export type Part = (typeof PARTS)[number]

export interface PlanOptions {
  readonly signals: number
  readonly only: readonly Part[]
  readonly brokers?: string
  readonly redis?: string
}

export interface Plan {
  readonly jobs: readonly PlannedJob[]
  cleanUp(): Promise<void>
}

export interface PlannedJob {
  readonly title: string
  readonly type: Job['type']
  /** Makes what one run uses up; `discard` removes it. */
  prepare(): Promise<{ prepared: Job; discard(): Promise<void> }>
}

const SEED = 42
const KAFKA_BATCH_SIZES = [500, 2000]
const EMBEDDED_BATCH_SIZE = 500

/** Fills the logs and says what is to be measured on them, in order. */
export async function preparePlan(options: PlanOptions): Promise<Plan> {
  const plans: Plan[] = []
  const cleanUp = async (): Promise<void> => {
    for (const plan of plans) await plan.cleanUp()
  }
  try {
    if (options.only.includes('fold')) plans.push(planFold(options))
    if (options.only.includes('embedded')) plans.push(await planEmbedded(options))
    if (options.only.includes('kafka')) plans.push(await planKafka(options))
  } catch (error) {
    await cleanUp()
    throw error
  }
  return { jobs: plans.flatMap(({ jobs }) => jobs), cleanUp }
}

function planFold({ signals: count }: PlanOptions): Plan {
  const jobs = (Object.keys(BENCH_MODELS) as BenchModel[]).map(model =>
    planJob('fold', `decode and fold, ${model}`, () => ({
      type: 'fold',
      model,
      signals: { count, seed: SEED },
    })),
  )
  return { jobs, cleanUp: async () => {} }
}

async function planEmbedded({ signals: count }: PlanOptions): Promise<Plan> {
  const root = await mkdtemp(join(tmpdir(), 'upswell-bench-'))
  const filled = join(root, 'filled')
  const directory = join(root, 'run')
  const cleanUp = () => rm(root, { recursive: true, force: true })
  const signals = benchSignals({ count, seed: SEED })
  const records = await fillEmbedded(filled, readModel('rolling-score'), signals).catch(async error => {
    await cleanUp()
    throw error
  })
  const batchSize = EMBEDDED_BATCH_SIZE
  const job: PlannedJob = {
    title: `embedded, batches of ${batchSize}`,
    type: 'embedded',
    prepare: async () => {
      await cp(filled, directory, { recursive: true })
      return {
        prepared: { type: 'embedded', directory, records, batchSize },
        discard: () => rm(directory, { recursive: true }),
      }
    },
  }
  return { jobs: [job], cleanUp }
}

async function planKafka({ signals: count, ...named }: PlanOptions): Promise<Plan> {
  const services = await findServices(named)
  const { brokers, redisUrl } = services
  const prefix = `upswell-bench-${randomUUID().slice(0, 8)}`
  const signalsTopic = `${prefix}-signals`
  const cleanUp = async (): Promise<void> => {
    await deleteBenchTopics(brokers, prefix)
    await services.stop()
  }
  try {
    const records = await fillKafka(
      { brokers, redisUrl, namespace: prefix },
      signalsTopic,
      readModel('rolling-score'),
      benchSignals({ count, seed: SEED }),
    )
    let runs = 0
    const unused = () => `${prefix}-run-${++runs}`
    const kafka = { type: 'kafka', brokers, redisUrl, signalsTopic, records } as const
    const jobs = KAFKA_BATCH_SIZES.map(batchSize =>
      planJob('kafka', `Kafka and Redis, batches of ${batchSize}`, () => ({
        ...kafka,
        namespace: unused(),
        batchSize,
      })),
    )
    const floor = { type: 'floor', brokers, signalsTopic, records } as const
    return {
      jobs: [
        ...jobs,
        planJob('floor', 'kafkajs that only parses: the floor', () => ({ ...floor, group: unused() })),
      ],
      cleanUp,
    }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

/** A job that leaves nothing to remove. */
function planJob<J extends Job>(type: J['type'], title: string, makeJob: () => J): PlannedJob {
  return { title, type, prepare: async () => ({ prepared: makeJob(), discard: async () => {} }) }
}
