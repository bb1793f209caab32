import { describeError } from '../../lib/errors.ts'
import { everyInterval } from '../../lib/every-interval.ts'
import type { Consumption } from '../../log/log.ts'
import { CHECKPOINTS } from '../../log/topic-names.ts'
import { type Scoring, startScoring } from '../scorer/score-partitions.ts'
import type { ScoringOptions } from '../scorer/scoring-options.ts'
import { startCopying } from './copy-log.ts'
import type { Lineage } from './lineage.ts'
import { copyGroup, scoreGroup } from './lineage-names.ts'
import type { FoundLineage, Lineages } from './lineages.ts'
import { readReplay } from './replay-record.ts'

/** What the scoring of every line has in common. */
export interface LineagesOptions
  extends Omit<ScoringOptions, 'backend' | 'topics' | 'group' | 'line' | 'checkpoints'> {
  readonly lineages: Lineages
  /** 0: no checkpoints are written. */
  readonly checkpointIntervalMs: number
  /** How often it is looked whether a line was promoted. */
  readonly lookIntervalMs?: number
  readonly onCopied?: (records: number) => void
}

/** Whether a line was promoted is no hurry: until its scoring begins, its events wait. */
const LOOK_INTERVAL_MS = 1_000

/**
 * Scores the installation's signals, whichever line serves. Where a replay was promoted, its line is scored as well, and fed with what still comes into the log
 * before it; found anew at each start, and as soon as it is promoted.
 */
export async function scoreLineages(options: LineagesOptions): Promise<Scoring> {
  const { lineages, logger, lookIntervalMs = LOOK_INTERVAL_MS } = options
  const every = options.every ?? everyInterval
  const running: Scoring[] = [await scoreOriginal(options)]
  let newest: FoundLineage = lineages.original
  let isLooking = false
  let isStopped = false
  const look = async (): Promise<void> => {
    if (isLooking || isStopped) return
    isLooking = true
    try {
      const next = await lineages.successor(newest)
      if (next === undefined || isStopped) return
      logger.info(`${newest.names.namespace} was replaced by ${next.names.namespace}: scoring that as well`)
      const scoring = await scoreReplay(options, next)
      newest = next
      if (isStopped) await scoring.stop()
      else running.push(scoring)
    } catch (error) {
      logger.warn(`could not look for what was promoted: ${describeError(error)}`)
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
    assignments: () => running.flatMap(scoring => scoring.assignments()),
    modelsActive: () => running.every(scoring => scoring.modelsActive()),
  }
}

function scoreOriginal(options: LineagesOptions): Promise<Scoring> {
  const { original } = options.lineages
  return scoreLineage(options, original, {
    names: original.names,
    servedTopics: original.names.topics,
    origin: undefined,
  })
}

/** Copies and scores a replay's line, promoted or not. @throws UpswellError TOPIC_MISSING if there is no such replay */
export async function scoreReplay(options: LineagesOptions, found: FoundLineage): Promise<Scoring> {
  const { lineages, library, batchSize, onCopied = () => {} } = options
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
    library,
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
  const { lineages: _, checkpointIntervalMs, onCopied: __, lookIntervalMs: ___, ...rest } = options
  return startScoring({
    ...rest,
    backend,
    topics: names.topics,
    group: scoreGroup(names),
    lineage,
    ...(checkpointIntervalMs > 0
      ? {
          checkpoints: {
            topic: names.topics[CHECKPOINTS],
            timing: { intervalMs: checkpointIntervalMs, now: rest.now },
          },
        }
      : {}),
  })
}

function both(first: Consumption, second: Consumption): Consumption {
  return {
    stop: async () => {
      await Promise.all([first.stop(), second.stop()])
    },
    problem: () => first.problem() ?? second.problem(),
    assignments: () => [...first.assignments(), ...second.assignments()],
  }
}
