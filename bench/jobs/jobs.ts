import type { Usage } from '../machine/measure.ts'
import type { BenchModel } from '../signals/models.ts'
import type { SignalChoice } from '../signals/signals.ts'
import type { StateSize } from './state-size.ts'

/** What is measured in a child, as plain data: each run of a job is a process of its own, so that no job warms up, or fills the heap, for another. */
export type Job = FoldJob | EmbeddedJob | FloorJob

/** The signals from memory, in batches of 500; all accounts are in memory. */
export interface FoldJob {
  readonly type: 'fold'
  readonly model: BenchModel
  readonly signals: SignalChoice
}

export interface EmbeddedJob {
  readonly type: 'embedded'
  /** With a filled log; it is used up. */
  readonly directory: string
  readonly records: number
  readonly batchSize: number
}

/** A consumer that parses the records, and nothing else. */
export interface FloorJob {
  readonly type: 'floor'
  readonly brokers: readonly string[]
  readonly signalsTopic: string
  readonly group: string
  readonly records: number
}

/** What came out of one run of a job. */
export interface Measurement extends Usage {
  /** Of the process, or of all where several share the work. */
  readonly peakRssBytes: number
  readonly redisPeakBytes?: number
  /** Undefined where nothing is scored. */
  readonly tierChanges?: number
  readonly redisCpuSeconds?: number
  /** Of the store, by which the run made it larger. */
  readonly storeBytes?: number
  /** Of a fold: what it took without decoding the records. */
  readonly foldAlone?: Usage
  readonly state?: StateSize & { readonly model: BenchModel }
}

/** The partitions of every topic. */
export const PARTITIONS = 4
