import type { Logger } from '../../lib/logger.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import type { SignalScanner } from '../../signals/scan/scan-signal.ts'
import type { Backend } from '../backend.ts'
import type { CheckpointTiming } from '../checkpoints/partition-checkpoints.ts'
import type { FlushSchedule } from './flush/flush-policy.ts'
import type { PartitionShares } from './partition-shares.ts'
import type { Publication } from './publication.ts'
import type { ScorerMeter } from './scorer-meter.ts'
import type { StepReport } from './step-report.ts'

/** What the scorers of all partitions share. */
export interface ScorerContext {
  readonly backend: Backend
  readonly publication: Publication
  readonly library: ModelLibrary
  /** How many partitions `signals` has in all. */
  readonly partitions: number
  readonly logger: Logger
  /** Undefined: an emptied store is rebuilt from the log alone. */
  readonly checkpoints?: CheckpointSettings
  /** The memory for their accounts. */
  readonly shares: PartitionShares
  /** Undefined: each step is flushed. */
  readonly flushes?: FlushSchedule
  /** Reads plain signals off their bytes; undefined: all signals are parsed. */
  readonly scanner?: SignalScanner
  readonly onScored: (report: StepReport) => void
  readonly meter?: ScorerMeter | undefined
}

export interface CheckpointSettings {
  readonly topic: string
  /** Undefined: checkpoints are read, and none are written. */
  readonly timing: CheckpointTiming | undefined
}
