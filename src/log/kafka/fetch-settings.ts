import { ANSWERS_HELD } from './fetch-ahead.ts'

export interface FetchSettings {
  /** Of one answer; 1 MiB if left out. */
  readonly maxBytesPerPartition?: number
  /** Of all answers of all partitions that are held at a time, 32 MiB if left out: the more partitions, the smaller their answers are. */
  readonly maxBytes?: number
  /** 1 if left out. */
  readonly minBytes?: number
  /** How long a fetch waits for records, 500 ms if left out; they come at once nevertheless. */
  readonly maxWaitMs?: number
  /** How long after an answer the next is asked for where the log has no more, 15 ms if left out. */
  readonly pauseMs?: number
}

const MAX_BYTES_PER_PARTITION = 1024 * 1024
const MAX_BYTES = 32 * 1024 * 1024
/** With less a record batch of usual size would be a fetch of its own. */
const LEAST_BYTES_PER_PARTITION = 64 * 1024
/** An idle partition is asked for twice a second. */
const MAX_WAIT_MS = 500
/**
 * Of 5,000 signals a second in four partitions, 18 at a time. Without it each came nearly alone: 2,000 fetches and 100 transactions a second kept two cores
 * so busy that half of the changes took longer than 90 ms.
 */
const PAUSE_MS = 15

/** What each fetch of each of so many partitions asks for. A record batch that is larger than `maxBytes` comes whole nevertheless. */
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
