import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { BatchReport } from './consumers/score-partition.ts'

/** What one process counts, for Prometheus. */
export interface Metrics {
  readonly registry: Registry
  readonly onScored: (batch: BatchReport) => void
  readonly onIngested: (topic: string, outcome: 'accepted' | 'rejected', count: number) => void
}

export function createMetrics(assignedPartitions: () => number): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const signals = counter(
    'upswell_signals_total',
    'Signals that the score loop took, by what became of them',
    ['outcome'],
  )
  const refolded = counter(
    'upswell_refolded_records_total',
    'Records folded again to bring the store up to the committed offset',
    [],
  )
  const events = counter('upswell_events_total', 'Tier changes and PQL events published', ['type', 'model'])
  const ingested = counter(
    'upswell_ingested_records_total',
    'Records of the source topics, by what became of them',
    ['topic', 'outcome'],
  )
  new Gauge({
    name: 'upswell_assigned_partitions',
    help: 'Partitions that this process reads now',
    registers: [registry],
    collect() {
      this.set(assignedPartitions())
    },
  })
  return {
    registry,
    onScored: batch => {
      if (batch.refolded) {
        refolded.inc(batch.records)
        return
      }
      for (const [outcome, count] of Object.entries(batch.outcomes))
        if (count > 0) signals.inc({ outcome }, count)
      if (batch.rejected > 0) signals.inc({ outcome: 'rejected' }, batch.rejected)
      for (const event of batch.events) {
        events.inc({ type: event.type === 'pql' ? `pql-${event.status}` : event.type, model: event.modelId })
      }
    },
    onIngested: (topic, outcome, count) => {
      if (count > 0) ingested.inc({ topic, outcome }, count)
    },
  }
}
