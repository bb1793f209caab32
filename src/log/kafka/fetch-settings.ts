import { ANSWERS_HELD } from './fetch-ahead.ts'

export interface FetchSettings {
  /** The size of one answer; 1 MiB if left out. */
  readonly maxBytesPerPartition?: number
  /**
   * The size of all answers that all consumptions hold at a time; 32 MiB if left out. More partitions get
   * smaller ones, and from some number on they take turns.
   */
  readonly maxBytes?: number
  /** 1 if left out. */
  readonly minBytes?: number
  /** How long a fetch waits if there are no records; 500 ms if left out. New records end the wait. */
  readonly maxWaitMs?: number
  /** At the end of the log: the time from an answer to the next fetch; 15 ms if left out. */
  readonly pauseMs?: number
}

const MAX_BYTES_PER_PARTITION = 1024 * 1024
export const MAX_BYTES = 32 * 1024 * 1024
/** With less, each record batch of usual size would take a fetch. */
const LEAST_BYTES_PER_PARTITION = 64 * 1024
/** An idle partition causes two fetches a second. */
const MAX_WAIT_MS = 500
/**
 * With 5,000 signals a second in four partitions, 18 come at a time. Without the pause nearly each came
 * alone: 2,000 fetches and 100 transactions a second kept two cores so busy that half of the changes took
 * longer than 90 ms.
 */
const PAUSE_MS = 15

/**
 * The limits of each fetch when this many partitions are read. A record batch larger than `maxBytes` comes
 * whole.
 */
export function fetchLimits(settings: FetchSettings, partitions: number) {
  const { maxBytes = MAX_BYTES, maxBytesPerPartition = MAX_BYTES_PER_PARTITION } = settings
  const share = Math.floor(maxBytes / ANSWERS_HELD / Math.max(1, partitions))
  return {
    maxBytes: Math.min(maxBytesPerPartition, Math.max(LEAST_BYTES_PER_PARTITION, share)),
    minBytes: settings.minBytes ?? 1,
    maxWaitMs: settings.maxWaitMs ?? MAX_WAIT_MS,
    pauseMs: settings.pauseMs ?? PAUSE_MS,
  }
}
