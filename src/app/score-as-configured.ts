import type { Lineages } from '../consumers/lineage/lineages.ts'
import { scoreLineages } from '../consumers/lineage/score-lineages.ts'
import type { BatchReport } from '../consumers/scorer/batch-report.ts'
import type { Scoring } from '../consumers/scorer/score-partitions.ts'
import type { Logger } from '../lib/logger.ts'
import type { ModelLibrary, ModelSource } from '../models/model-library.ts'
import type { Config } from './config.ts'
import { isEmbedded } from './open-backend.ts'

export interface ConfiguredScoring {
  readonly config: Config
  readonly lineages: Lineages
  readonly library: ModelLibrary
  readonly models: readonly ModelSource[]
  readonly logger: Logger
  readonly onScored: (batch: BatchReport) => void
}

/** What scores in one thread, be it the main thread or one of several: the settings decide all of it, so that these cannot differ. @throws as `scoreLines` */
export function scoreAsConfigured({ config, models, ...parts }: ConfiguredScoring): Promise<Scoring> {
  return scoreLineages({
    ...parts,
    batchSize: config.batchSize,
    ticks: { models, now: Date.now, intervalMs: config.tickIntervalMs },
    ...(config.flushIntervalMs > 0
      ? { flush: { intervalMs: config.flushIntervalMs, now: () => performance.now() } }
      : {}),
    // Embedded, the store is never lost without the log.
    checkpointIntervalMs: isEmbedded(config) ? 0 : config.checkpointIntervalMs,
  })
}
