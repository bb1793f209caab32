import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { AccountParity } from '../consumers/parity/account-parity.ts'
import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { TrustedClock } from '../lib/trusted-clock.ts'
import { LIMIT_NAMES } from '../scoring/activity/activity.ts'
import type { ScoredCounts } from './scored-counts.ts'

/** The metrics of one process, for Prometheus. */
export interface Metrics {
  readonly registry: Registry
  readonly onScored: (counts: ScoredCounts) => void
  readonly onParityChecked: (accounts: readonly AccountParity[]) => void
  readonly onIngested: (topic: string, outcome: 'accepted' | 'rejected', count: number) => void
}

/** A problem begins with its part. All parts have a series from the start: 0 is not the same as no series. */
const PARTS = ['ingest', 'score', 'store', 'log', 'filling', 'api', 'clock']
const OUTCOMES = ['applied', 'late', 'duplicate', 'too-old', 'rejected'] as const satisfies (
  | keyof StepReport['outcomes']
  | 'rejected'
)[]
/** How long a scrape waits for Kafka and Redis. */
const PATIENCE_MS = 200

/**
 * `assignedPartitions`: how many partitions this process reads now. `problems`: the problems of /readyz, each
 * `part: what is wrong`; a check that takes longer than `patienceMs` gives its last result.
 */
export function createMetrics(
  assignedPartitions: () => number,
  problems: (patienceMs: number) => Promise<readonly string[]>,
  clock: Pick<TrustedClock, 'isInDoubt' | 'aheadMs'>,
): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const signals = counter('upswell_signals_total', 'Signals that the score loop took, by outcome', [
    'outcome',
  ])
  // Series from the start: the first rejection is then an increase.
  for (const outcome of OUTCOMES) signals.inc({ outcome }, 0)
  const limits = counter(
    'upswell_limit_reached_total',
    'How often accounts reached a limit (docs/limits.md), by limit',
    ['limit'],
  )
  for (const limit of LIMIT_NAMES) limits.inc({ limit }, 0)
  const unread = counter(
    'upswell_unread_names_total',
    'Names of signals and keys that accounts had for the first time and that no active model reads',
    [],
  )
  const refolded = counter(
    'upswell_refolded_records_total',
    'Records that were committed but missing from the store, and were folded again',
    [],
  )
  const events = counter('upswell_events_total', 'Tier changes, PQL events and alerts published', [
    'type',
    'model',
  ])
  const ingested = counter('upswell_ingested_records_total', 'Records of the source topics, by outcome', [
    'topic',
    'outcome',
  ])
  const parity = counter(
    'upswell_parity_accounts_total',
    'Accounts recomputed from the log and compared with the store; unknown: they could not be compared',
    ['outcome'],
  )
  // Series from the start: the first difference is then an increase.
  for (const outcome of ['equal', 'different', 'unknown']) parity.inc({ outcome }, 0)
  const parityChecked = new Gauge({
    name: 'upswell_parity_last_check_timestamp_seconds',
    help: 'When the last parity check finished; 0: none yet',
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
    name: 'upswell_clock_in_doubt',
    help: "1: this machine's clock disagrees with the time seen before and with the store's clock; no ticks are written",
    registers: [registry],
    collect() {
      this.set(clock.isInDoubt() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'upswell_clock_ahead_seconds',
    help: "How far this machine's clock is ahead of the trusted time while it is in doubt; 0: it is trusted",
    registers: [registry],
    collect() {
      this.set(clock.aheadMs() / 1000)
    },
  })
  new Gauge({
    name: 'upswell_problems',
    help: 'Problems that keep this process from its work now, by part, as /readyz reports them',
    labelNames: ['part'],
    registers: [registry],
    async collect() {
      const found = await problems(PATIENCE_MS)
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
      for (const [limit, count] of Object.entries(counts.limits)) limits.inc({ limit }, count)
      unread.inc(counts.unread)
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
