import { everyInterval } from '../../lib/every-interval.ts'
import { withFields } from '../../lib/logger.ts'
import { outagesOf } from '../../lib/outages.ts'
import type { Consumption } from '../../log/log.ts'
import { CHECKPOINTS } from '../../log/topic-names.ts'
import { type Scoring, type ScoringOptions, startScoring } from '../scorer/score-partitions.ts'
import { startCopying } from './copy-log.ts'
import type { Lineage } from './lineage.ts'
import { copyGroup, scoreGroup } from './lineage-names.ts'
import { LineagePublication } from './lineage-publication.ts'
import type { FoundLineage, Lineages } from './lineages.ts'
import { readReplay } from './replay-record.ts'

/** What the scoring of every lineage shares. */
export interface LineagesOptions
  extends Omit<ScoringOptions, 'backend' | 'publication' | 'source' | 'checkpoints'> {
  readonly lineages: Lineages
  readonly batchSize: number
  /** 0: no checkpoints are written. */
  readonly checkpointIntervalMs: number
  /** How often to look for a promotion. */
  readonly lookIntervalMs?: number
  readonly onCopied?: (records: number) => void
}

/** A promoted lineage need not be found at once: until it is scored, its events wait. */
const LOOK_INTERVAL_MS = 1_000
/** Begins what is said if it fails. */
const LOOKING = 'could not look for a promotion'

/**
 * Scores the installation's signals, whichever lineage serves. A promoted replay is scored as well, and
 * copies what still comes into the log of the lineage before it. Promotions are looked for at the start, and
 * every second after it.
 */
export async function scoreLineages(options: LineagesOptions): Promise<Scoring> {
  const { lineages, logger, lookIntervalMs = LOOK_INTERVAL_MS } = options
  const outages = outagesOf(logger)
  const every = options.ticks.every ?? everyInterval
  const running: Scoring[] = [await scoreOriginal(options)]
  let newest: FoundLineage = lineages.original
  let isLooking = false
  let isStopped = false
  const look = async (): Promise<void> => {
    if (isLooking || isStopped) return
    isLooking = true
    try {
      const next = await lineages.successor(newest)
      outages.works(LOOKING)
      if (next === undefined || isStopped) return
      logger.info(
        `${next.names.namespace} was promoted in place of ${newest.names.namespace}: scoring it too`,
      )
      const scoring = await scoreReplay(options, next)
      newest = next
      if (isStopped) await scoring.stop()
      else running.push(scoring)
    } catch (error) {
      outages.failed(LOOKING, error)
    } finally {
      isLooking = false
    }
  }
  const stopLooking = every(lookIntervalMs, () => void look())
  return {
    stop: async () => {
      isStopped = true
      stopLooking()
      await Promise.all(running.map(scoring => scoring.stop()))
    },
    problem: () => running.map(scoring => scoring.problem()).find(problem => problem !== undefined),
    waitingMs: () => Math.max(...running.map(scoring => scoring.waitingMs())),
    assignments: () => running.flatMap(scoring => scoring.assignments()),
    modelsActive: () => running.every(scoring => scoring.modelsActive()),
  }
}

function scoreOriginal(options: LineagesOptions): Promise<Scoring> {
  const { original } = options.lineages
  const { names } = original
  return scoreLineage(options, original, { names, servedTopics: names.topics, origin: undefined })
}

/**
 * Copies and scores a replay, promoted or not. @throws UpswellError TOPIC_MISSING: there is no such replay
 */
export async function scoreReplay(options: LineagesOptions, found: FoundLineage): Promise<Scoring> {
  const { lineages, batchSize, onCopied = () => {} } = options
  const { names, backend } = found
  const { log } = backend
  const partitions = await log.partitions(names.topics.signals)
  const replay = await readReplay(log, names.topics.signals)
  if (replay === undefined) throw new Error(`${names.topics.signals} does not begin as a replay's log does`)
  const { topic, namespace } = replay.origin
  const before = await lineages.withNamespace(namespace)
  const lineage: Lineage = {
    names,
    servedTopics: lineages.original.names.topics,
    origin: { topic, partitions: replay.origin.partitions, store: before.backend.store },
  }
  const copying = await startCopying({
    log,
    target: { replay, topic: names.topics.signals, partitions, namespace: names.namespace },
    group: copyGroup(names),
    batchSize,
    onCopied,
  })
  const scoring = await scoreLineage(options, found, lineage).catch(async error => {
    await copying.stop()
    throw error
  })
  return {
    ...both(copying, scoring),
    modelsActive: () => scoring.modelsActive(),
  }
}

function scoreLineage(
  options: LineagesOptions,
  { names, backend }: FoundLineage,
  lineage: Lineage,
): Promise<Scoring> {
  const { library, logger, onScored, shares, meter, ticks, flush, batchSize, checkpointIntervalMs } = options
  const timing = { intervalMs: checkpointIntervalMs, now: ticks.now }
  return startScoring({
    backend,
    publication: new LineagePublication(lineage, library),
    library,
    logger: withFields(logger, { lineage: names.namespace }),
    onScored,
    shares,
    meter,
    source: { topic: names.topics.signals, group: scoreGroup(names), batchSize },
    ticks,
    ...(flush === undefined ? {} : { flush }),
    ...(checkpointIntervalMs > 0 ? { checkpoints: { topic: names.topics[CHECKPOINTS], timing } } : {}),
  })
}

function both(first: Consumption, second: Consumption): Consumption {
  return {
    stop: async () => {
      await Promise.all([first.stop(), second.stop()])
    },
    problem: () => first.problem() ?? second.problem(),
    waitingMs: () => Math.max(first.waitingMs(), second.waitingMs()),
    assignments: () => [...first.assignments(), ...second.assignments()],
  }
}
