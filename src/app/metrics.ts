import { setTimeout as sleep } from 'node:timers/promises'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AccountParity } from '../consumers/parity/account-parity.ts'
import type { BatchReport } from '../consumers/scorer/batch-report.ts'
import type { ScoredCounts } from './scored-counts.ts'

/** What one process counts, for Prometheus. */
export interface Metrics {
  readonly registry: Registry
  readonly onScored: (counts: ScoredCounts) => void
  readonly onParityChecked: (accounts: readonly AccountParity[]) => void
  readonly onIngested: (topic: string, outcome: 'accepted' | 'rejected', count: number) => void
}

/** What a problem begins with. All are there from the beginning: 0 is not the same as nothing. */
const PARTS = ['ingest', 'score', 'store', 'log', 'api', 'unanswered']
const OUTCOMES = ['applied', 'late', 'duplicate', 'too-old', 'rejected'] as const satisfies (
  | keyof BatchReport['outcomes']
  | 'rejected'
)[]
/** Prometheus gives up on all metrics after 10 s by default, and an absent Kafka takes long to be found absent. */
const PROBLEMS_WITHIN_MS = 5_000

/**
 * `assignedPartitions`: how many this process reads now. `problems`: what keeps it from its work now, as /readyz tells it: `part: what is wrong`.
 */
export function createMetrics(
  assignedPartitions: () => number,
  problems: () => Promise<readonly string[]>,
): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const signals = counter(
    'upswell_signals_total',
    'Signals that the score loop took, by what became of them',
    ['outcome'],
  )
  // There from the beginning, so that the first rejection is an increase.
  for (const outcome of OUTCOMES) signals.inc({ outcome }, 0)
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
  const parity = counter(
    'upswell_parity_accounts_total',
    'Accounts recomputed from the log and compared with the store: equal, different, or unknown where they could not be',
    ['outcome'],
  )
  // There from the beginning, so that the first difference is an increase.
  for (const outcome of ['equal', 'different', 'unknown']) parity.inc({ outcome }, 0)
  const parityChecked = new Gauge({
    name: 'upswell_parity_last_check_timestamp_seconds',
    help: 'When the last comparison of accounts with the log finished; 0: none yet',
    registers: [registry],
  })
  new Gauge({
    name: 'upswell_assigned_partitions',
    help: 'Partitions that this process reads now',
    registers: [registry],
    collect() {
      this.set(assignedPartitions())
    },
  })
  new Gauge({
    name: 'upswell_problems',
    help: 'What keeps this process from its work now, by the part that has it: what /readyz says, counted',
    labelNames: ['part'],
    registers: [registry],
    async collect() {
      const found = await Promise.race([problems(), unanswered()])
      this.reset()
      for (const part of PARTS) this.set({ part }, 0)
      for (const problem of found) this.inc({ part: problem.slice(0, problem.indexOf(':')) })
    },
  })
  return {
    registry,
    onScored: counts => {
      for (const [outcome, count] of Object.entries(counts.signals)) signals.inc({ outcome }, count)
      refolded.inc(counts.refolded)
      for (const { type, model, count } of counts.events) events.inc({ type, model }, count)
    },
    onParityChecked: accounts => {
      for (const { outcome } of accounts) parity.inc({ outcome })
      parityChecked.setToCurrentTime()
    },
    onIngested: (topic, outcome, count) => {
      if (count > 0) ingested.inc({ topic, outcome }, count)
    },
  }
}

async function unanswered(): Promise<readonly string[]> {
  await sleep(PROBLEMS_WITHIN_MS, undefined, { ref: false })
  return [`unanswered: nobody answered within ${PROBLEMS_WITHIN_MS} ms`]
}
