import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import type { Log, PartitionHandler, PartitionSession } from '../../src/log/log.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { QUIET_LOGGER } from '../logger.ts'
import { openBenchBackend, type RunAddress } from '../machine/bench-backend.ts'
import { topicsOfRun } from '../machine/bench-topics.ts'
import { peakRssBytes, startClock, type Usage } from '../machine/measure.ts'
import { readModel } from '../signals/models.ts'

/**
 * The process's only argument, as JSON: a scorer whose clock shows another time. It works until it receives
 * any message, then reports what it did.
 */
export interface MidnightJob {
  readonly address: RunAddress
  readonly signalsTopic: string
  readonly batchSize: number
  readonly flushIntervalMs: number
  /** Added to this machine's clock, ms. */
  readonly aheadMs: number
  /** 0: it never looks at the time. */
  readonly tickIntervalMs: number
}

export interface MidnightRun extends Usage {
  readonly steps: readonly Step[]
  readonly tierChanges: number
  readonly peakRssBytes: number
}

/**
 * One unit of a partition's work, until its commit, in ms of `wallMs`. It begins when the partition has
 * records or has committed the ones before. If the store is written between two batches, it begins with that
 * commit.
 */
export interface Step {
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly nextOffset: number
}

const job = JSON.parse(process.argv[2]!) as MidnightJob
const backend = await openBenchBackend(job.address)
const steps: Step[] = []
let tierChanges = 0
const readClock = startClock()
const topics = topicsOfRun(job.address.namespace, job.signalsTopic)
const scoring: Scoring = await startScoring({
  backend: { ...backend, log: withSteps(backend.log, step => steps.push(step)) },
  publication: alwaysServing(topics),
  library: new ModelLibrary(),
  logger: QUIET_LOGGER,
  source: { topic: topics.signals, group: 'score', batchSize: job.batchSize },
  ticks: {
    models: [readModel('rolling-score')],
    now: () => Date.now() + job.aheadMs,
    intervalMs: job.tickIntervalMs,
  },
  flush: { intervalMs: job.flushIntervalMs, now: () => performance.now() },
  shares: unlimitedShares(),
  onScored: ({ events }) => {
    for (const event of events) if (event.type === 'tier-change') tierChanges++
  },
})
process.once('message', async () => {
  const run: MidnightRun = { ...readClock(), steps, tierChanges, peakRssBytes: peakRssBytes() }
  await scoring.stop()
  await backend.close()
  process.send!(run, () => process.disconnect())
})

/** ms since 1970, finer than `Date.now`, and the same in all processes. */
function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

/** The log, with a record of each commit. */
function withSteps(log: Log, onStep: (step: Step) => void): Log {
  const since = new Map<number, number>()
  const watched = new WeakMap<PartitionSession, PartitionSession>()
  const watch = (session: PartitionSession): PartitionSession => {
    const known = watched.get(session)
    if (known !== undefined) return known
    const { partition } = session
    const made = replaced(session, {
      commit: async (...args: Parameters<PartitionSession['commit']>) => {
        const from = since.get(partition) ?? wallMs()
        await session.commit(...args)
        const to = wallMs()
        onStep({ partition, from, to, nextOffset: args[1] })
        if (since.has(partition)) since.set(partition, to)
      },
    })
    watched.set(session, made)
    return made
  }
  const watchHandler = (handler: PartitionHandler): PartitionHandler => ({
    assigned: session => handler.assigned(watch(session)),
    process: async (session, records) => {
      since.set(session.partition, wallMs())
      try {
        await handler.process(watch(session), records)
      } finally {
        // A partition's wait for the next records is not part of a step.
        since.delete(session.partition)
      }
    },
    released: session => handler.released(watch(session)),
  })
  return replaced(log, {
    consume: options => log.consume({ ...options, handler: watchHandler(options.handler) }),
  })
}

/** The object with some members replaced. The other members still see the original object. */
function replaced<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (name in members) return Reflect.get(members, name)
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
