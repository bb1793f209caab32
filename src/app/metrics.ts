import { Counter, collectDefaultMetrics, Gauge } from 'prom-client'
import type { AccountParity } from '../consumers/parity/account-parity.ts'
import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { TrustedClock } from '../lib/trusted-clock.ts'
import { LIMIT_NAMES } from '../scoring/activity/activity.ts'
import type { RejectionCode } from '../signals/rejection.ts'
import { ProcessRegistry } from './meters/process-registry.ts'
import { packageInfo } from './package-info.ts'
import type { ScoredCounts } from './scored-counts.ts'

/** The metrics of one process, for Prometheus. */
export interface Metrics {
  readonly registry: ProcessRegistry
  readonly onScored: (counts: ScoredCounts) => void
  readonly onParityChecked: (accounts: readonly AccountParity[]) => void
  readonly onIngested: (topic: string, outcome: 'accepted' | 'rejected', count: number) => void
  readonly onDeadLetters: (topic: string, reasons: readonly RejectionCode[]) => void
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
 * `part: what is wrong`; a check that takes longer than `patienceMs` gives its last result. `groupWaits`:
 * role of this process → how long it waits already for its group, ms.
 */
export function createMetrics(
  assignedPartitions: () => number,
  problems: (patienceMs: number) => Promise<readonly string[]>,
  clock: Pick<TrustedClock, 'isInDoubt' | 'aheadMs'>,
  groupWaits: () => ReadonlyMap<string, number>,
  registry = new ProcessRegistry(),
): Metrics {
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
  const deadLetters = counter(
    'upswell_dead_letters_total',
    'Records that went to dead-letter, by the topic they came from and the code of the reason',
    ['topic', 'reason'],
  )
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
  exposeBuild(registry)
  new Gauge({
    name: 'upswell_assigned_partitions',
    help: 'Partitions that this process reads now',
    registers: [registry],
    collect() {
      this.set(assignedPartitions())
    },
  })
  new Gauge({
    name: 'upswell_group_waiting_seconds',
    help: 'How long this role has waited for its consumer group, to join it or while it distributes its partitions; 0: it does not wait',
    labelNames: ['role'],
    registers: [registry],
    collect() {
      for (const [role, waitMs] of groupWaits()) this.set({ role }, waitMs / 1000)
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
      for (const { topic, reason, count } of counts.deadLetters) deadLetters.inc({ topic, reason }, count)
      for (const { type, model, count } of counts.events) events.inc({ type, model }, count)
    },
    onParityChecked: accounts => {
      for (const { outcome } of accounts) parity.inc({ outcome })
      parityChecked.setToCurrentTime()
    },
    onIngested: (topic, outcome, count) => {
      if (count > 0) ingested.inc({ topic, outcome }, count)
    },
    onDeadLetters: (topic, reasons) => {
      for (const reason of reasons) deadLetters.inc({ topic, reason })
    },
  }
}

function exposeBuild(registry: ProcessRegistry): void {
  new Gauge({
    name: 'upswell_build_info',
    help: '1; the labels say which version of Upswell runs, and on which Node.js',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: packageInfo().version, node: process.version }, 1)
}
