import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../src/consumers/backend.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import type { Log, PartitionHandler } from '../../src/log/log.ts'
import type { TopicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import { QUIET_LOGGER } from '../logger.ts'
import { startClock, type Usage } from '../machine/measure.ts'

export interface ScoreLogOptions {
  readonly backend: Backend
  readonly topics: TopicNames
  /** The models that the log begins with. */
  readonly models: readonly ModelSource[]
  readonly batchSize: number
  /** The number of records in `signals`. */
  readonly records: number
}

export interface ScoredLog extends Usage {
  readonly tierChanges: number
}

/** Without a batch for this long, something is broken. */
const PATIENCE_MS = 60_000

/**
 * Runs the score loop over a filled log. The clock runs from the first record that the loop takes until the
 * last one is in the store and its offset is committed. It does not include joining the group and taking the
 * partitions.
 */
export async function scoreLog(options: ScoreLogOptions): Promise<ScoredLog> {
  const { backend, topics, models, batchSize, records } = options
  let readClock: (() => Usage) | undefined
  let scored = 0
  let tierChanges = 0
  let lastBatchAt = performance.now()
  let finish: (usage: Usage) => void = () => {}
  const finished = new Promise<Usage>(resolve => {
    finish = resolve
  })
  const log = withStart(backend.log, () => {
    readClock ??= startClock()
  })
  const scoring = await startScoring({
    backend: { ...backend, log },
    publication: alwaysServing(topics),
    library: new ModelLibrary(),
    logger: QUIET_LOGGER,
    source: { topic: topics.signals, group: 'score', batchSize },
    ticks: { models, now: Date.now, intervalMs: 0 },
    shares: unlimitedShares(),
    onScored: report => {
      lastBatchAt = performance.now()
      scored += report.records
      for (const event of report.events) if (event.type === 'tier-change') tierChanges++
      if (scored === records) finish(readClock!())
    },
  })
  try {
    const usage = await Promise.race([finished, failWhenStuck(scoring, () => lastBatchAt)])
    return { ...usage, tierChanges }
  } finally {
    await scoring.stop()
  }
}

/** The log, with a hook before each batch. */
function withStart(log: Log, onBatch: () => void): Log {
  const watched = (handler: PartitionHandler): PartitionHandler => ({
    assigned: session => handler.assigned(session),
    process: (session, records) => {
      onBatch()
      return handler.process(session, records)
    },
    released: session => handler.released(session),
  })
  return {
    partitions: topic => log.partitions(topic),
    append: records => log.append(records),
    consume: options => log.consume({ ...options, handler: watched(options.handler) }),
    readAll: topic => log.readAll(topic),
    read: (topic, stretches) => log.read(topic, stretches),
    ranges: topic => log.ranges(topic),
    topics: () => log.topics(),
    createTopics: topics => log.createTopics(topics),
    deleteTopics: topics => log.deleteTopics(topics),
    group: (group, topic) => log.group(group, topic),
    deleteGroup: group => log.deleteGroup(group),
    ping: () => log.ping(),
    close: () => log.close(),
  }
}

async function failWhenStuck(scoring: Scoring, lastBatchAt: () => number): Promise<never> {
  while (performance.now() - lastBatchAt() < PATIENCE_MS) await sleep(1_000, undefined, { ref: false })
  throw new Error(
    `nothing was scored for ${PATIENCE_MS / 1000} s: ${scoring.problem() ?? 'no problem is known'}`,
  )
}
