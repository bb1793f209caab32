import { Counter, Histogram, type Registry } from 'prom-client'
import { isUpswellError } from '../../lib/errors.ts'
import type { LogMeter, ReadPosition } from '../../log/log-meter.ts'
import { DURATION_BUCKETS } from './duration-buckets.ts'

/** A meter whose consumptions can be asked. */
export interface OpenLogMeter extends LogMeter {
  /** How far this process is, in each partition that it reads. */
  positions(): readonly ReadPosition[]
}

/** Exposes a log's work. */
export function createLogMeter(registry: Registry): OpenLogMeter {
  const registers = [registry]
  const commits = new Histogram({
    name: 'upswell_commit_duration_seconds',
    help: 'Time of a transaction in the log: its records and the consumed offset',
    labelNames: ['group', 'result'],
    buckets: DURATION_BUCKETS,
    registers,
  })
  const processed = new Counter({
    name: 'upswell_processed_records_total',
    help: 'Records that were read and processed, by consumer group; records that were read twice count twice',
    labelNames: ['group'],
    registers,
  })
  const fetched = new Counter({
    name: 'upswell_fetched_bytes_total',
    help: 'Bytes of record batches that brokers sent, as they are compressed',
    labelNames: ['topic'],
    registers,
  })
  const failures = new Counter({
    name: 'upswell_fetch_failures_total',
    help: 'Fetches that failed: a broker is away, or leads the partition no longer',
    labelNames: ['topic'],
    registers,
  })
  const lost = new Counter({
    name: 'upswell_lost_sessions_total',
    help: 'Partitions that were given up after an error, and taken again, by the code of the error',
    labelNames: ['group', 'reason'],
    registers,
  })
  const consumptions = new Set<() => readonly ReadPosition[]>()
  const groups = new Set<string>()
  return {
    committed: (group, seconds, isDone) => {
      // A series from the start: the first failure is then an increase.
      if (!groups.has(group)) commits.zero({ group, result: 'failed' })
      groups.add(group)
      commits.observe({ group, result: isDone ? 'done' : 'failed' }, seconds)
    },
    processed: (group, records) => processed.inc({ group }, records),
    fetched: (topic, bytes) => fetched.inc({ topic }, bytes),
    fetchFailed: topic => failures.inc({ topic }),
    sessionLost: (group, reason) =>
      lost.inc({ group, reason: isUpswellError(reason) ? reason.code : 'other' }),
    consuming: positions => {
      consumptions.add(positions)
      return () => consumptions.delete(positions)
    },
    positions: () => Array.from(consumptions, positions => positions()).flat(),
  }
}
