import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import type { Log, PartitionHandler, PartitionSession } from '../../src/log/log.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { QUIET_LOGGER } from '../logger.ts'
import { openBenchBackend, type RunAddress } from '../machine/bench-backend.ts'
import { topicsOfRun } from '../machine/bench-topics.ts'
import { peakRssBytes, startClock, type Usage } from '../machine/measure.ts'
import { readModel } from '../signals/models.ts'

/** A scorer whose clock is set to another time, in a process of its own: what it is started with, as JSON. It works until it is sent any message, and then tells what it did. */
export interface MidnightJob {
  readonly address: RunAddress
  readonly signalsTopic: string
  readonly batchSize: number
  readonly flushIntervalMs: number
  /** Added to this machine's clock, ms. */
  readonly aheadMs: number
  /** 0: time is never looked at. */
  readonly tickIntervalMs: number
}

export interface MidnightRun extends Usage {
  readonly steps: readonly Step[]
  readonly tierChanges: number
  readonly peakRssBytes: number
}

/**
 * From the moment at which the partition had taken records, or had committed what came before them, until these were committed; of a write of the store between two batches, from the
 * beginning of its commit. ms of `wallMs`.
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

/** The log, with a look at each commit. */
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
        // What the partition waits for the next records is no part of a step.
        since.delete(session.partition)
      }
    },
    released: session => handler.released(watch(session)),
  })
  return replaced(log, {
    consume: options => log.consume({ ...options, handler: watchHandler(options.handler) }),
  })
}

/** The object with some members replaced; the others see the object itself. */
function replaced<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (name in members) return Reflect.get(members, name)
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
