import type { Lineages } from '../consumers/lineage/lineages.ts'
import { scoreLineages } from '../consumers/lineage/score-lineages.ts'
import { HourlyNotices } from '../consumers/scorer/hourly-notices.ts'
import type { Scoring } from '../consumers/scorer/score-partitions.ts'
import type { ScorerMeter } from '../consumers/scorer/scorer-meter.ts'
import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { Logger } from '../lib/logger.ts'
import type { TrustedClock } from '../lib/trusted-clock.ts'
import type { ModelLibrary, ModelSource } from '../models/model-library.ts'
import type { Config } from './config.ts'
import { isEmbedded } from './open-backend.ts'
import { type ProcessMemory, ShortageNotice } from './process-memory.ts'

export interface ConfiguredScoring {
  readonly config: Config
  readonly lineages: Lineages
  readonly library: ModelLibrary
  readonly models: readonly ModelSource[]
  readonly logger: Logger
  readonly clock: TrustedClock
  readonly memory: ProcessMemory
  readonly onScored: (report: StepReport) => void
  readonly meter?: ScorerMeter
}

/**
 * Scores in this thread, the main thread or one of several: the settings alone decide how, so that threads
 * cannot differ.
 * @throws the errors of `scoreLineages`
 */
export function scoreAsConfigured({
  config,
  models,
  clock,
  memory,
  onScored,
  ...parts
}: ConfiguredScoring): Promise<Scoring> {
  const notices = new HourlyNotices(parts.logger, () => performance.now())
  const shortage = new ShortageNotice(memory, parts.logger, () => performance.now())
  return scoreLineages({
    ...parts,
    onScored: report => {
      notices.add(report)
      shortage.look()
      onScored(report)
    },
    shares: memory.accounts,
    batchSize: config.batchSize,
    ticks: {
      models,
      allowEditedModels: config.allowEditedModels,
      now: clock.now,
      isInDoubt: clock.isInDoubt,
      sawRecord: time => clock.sawRecord(time),
      intervalMs: config.tickIntervalMs,
    },
    ...(config.flushIntervalMs > 0
      ? { flush: { intervalMs: config.flushIntervalMs, now: () => performance.now() } }
      : {}),
    // Embedded, log and store are one: the store is never lost alone.
    checkpointIntervalMs: isEmbedded(config) ? 0 : config.checkpointIntervalMs,
  })
}
