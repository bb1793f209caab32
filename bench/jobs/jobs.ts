import type { Usage } from '../machine/measure.ts'
import type { BenchModel } from '../signals/models.ts'
import type { SignalChoice } from '../signals/signals.ts'
import type { StateSize } from './state-size.ts'

/**
 * A measurement in a child process, as plain data. Each run of a job has its own process, so that no job
 * warms up the code or fills the heap for another.
 */
export type Job = FoldJob | EmbeddedJob | FloorJob

/** Folds signals from memory, in batches of 500; all accounts are in memory. */
export interface FoldJob {
  readonly type: 'fold'
  readonly model: BenchModel
  readonly signals: SignalChoice
}

export interface EmbeddedJob {
  readonly type: 'embedded'
  /** Holds a filled log, which the job uses up. */
  readonly directory: string
  readonly records: number
  readonly batchSize: number
}

/** A consumer that parses the records and does nothing else. */
export interface FloorJob {
  readonly type: 'floor'
  readonly brokers: readonly string[]
  readonly signalsTopic: string
  readonly group: string
  readonly records: number
}

/** The result of one run of a job. */
export interface Measurement extends Usage {
  /** Summed over all processes that share the work. */
  readonly peakRssBytes: number
  readonly redisPeakBytes?: number
  /** Undefined if nothing is scored. */
  readonly tierChanges?: number
  readonly redisCpuSeconds?: number
  /** How many bytes the run made the store grow by. */
  readonly storeBytes?: number
  /** Only for a fold: the same without decoding the records. */
  readonly foldAlone?: Usage
  readonly state?: StateSize & { readonly model: BenchModel }
}

/** The number of partitions of every topic. */
export const PARTITIONS = 4
