import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { PartitionState, Progress, ScorerMeter } from '../../consumers/scorer/scorer-meter.ts'
import { DURATION_BUCKETS } from './duration-buckets.ts'

interface TopicState extends PartitionState {
  readonly topic: string
}

interface Filling extends Progress {
  readonly topic: string
  readonly partition: number
}

/** Exposes the work of a process's, or a thread's, scorers. */
export function createScorerMeter(registry: Registry): ScorerMeter {
  const registers = [registry]
  const flushes = new Histogram({
    name: 'upswell_flush_duration_seconds',
    help: 'Time of a flush: its transaction in the log and its write to the store',
    labelNames: ['result'],
    buckets: DURATION_BUCKETS,
    registers,
  })
  const lookUps = new Counter({
    name: 'upswell_account_lookups_total',
    help: 'Look-ups of accounts in memory, one for each signal; miss: the store was asked',
    labelNames: ['result'],
    registers,
  })
  const loads = new Counter({
    name: 'upswell_account_loads_total',
    help: 'Accounts that were asked of the store; absent: it has none of this id, so the account is new',
    labelNames: ['result'],
    registers,
  })
  // Series from the start: the first one is then an increase.
  flushes.zero({ result: 'failed' })
  for (const result of ['hit', 'miss']) lookUps.inc({ result }, 0)
  for (const result of ['found', 'absent']) loads.inc({ result }, 0)
  const topics = new Map<() => readonly PartitionState[], string>()
  const fillings = new Map<string, Filling>()
  const states = (): TopicState[] =>
    Array.from(topics, ([read, topic]) => read().map(state => ({ topic, ...state }))).flat()
  gaugeStates(registry, states)
  gaugeFillings(registry, fillings)
  return {
    flushed: (seconds, isDone) => flushes.observe({ result: isDone ? 'done' : 'failed' }, seconds),
    lookedUp: (hits, misses) => {
      lookUps.inc({ result: 'hit' }, hits)
      lookUps.inc({ result: 'miss' }, misses)
    },
    loaded: (found, absent) => {
      loads.inc({ result: 'found' }, found)
      loads.inc({ result: 'absent' }, absent)
    },
    filling: (topic, partition, progress) => {
      const key = `${topic}/${partition}`
      if (progress === undefined) fillings.delete(key)
      else fillings.set(key, { topic, partition, ...progress })
    },
    scoring: (topic, read) => {
      topics.set(read, topic)
      return () => topics.delete(read)
    },
  }
}

const LABELS = ['topic', 'partition'] as const

/** A gauge of each partition; undefined: the partition has no series. */
function gaugeEach<T extends { readonly topic: string; readonly partition: number }>(
  registry: Registry,
  all: () => Iterable<T>,
  name: string,
  help: string,
  read: (each: T) => number | undefined,
): void {
  new Gauge({
    name,
    help,
    labelNames: LABELS,
    registers: [registry],
    // While a partition moves from thread to thread, both may have it for a moment.
    aggregator: 'max',
    collect() {
      this.reset()
      for (const each of all()) {
        const value = read(each)
        if (value !== undefined) this.set({ topic: each.topic, partition: each.partition }, value)
      }
    },
  })
}

function gaugeStates(registry: Registry, states: () => TopicState[]): void {
  const gauge = (name: string, help: string, read: (state: TopicState) => number | undefined): void =>
    gaugeEach(registry, states, name, help, read)
  gauge(
    'upswell_store_lag_records',
    'Records that are folded in memory and not stored yet',
    ({ unstoredRecords }) => unstoredRecords,
  )
  gauge(
    'upswell_store_lag_seconds',
    'How long the oldest record that is folded and not stored has waited for the flush',
    ({ unstoredMs }) => unstoredMs / 1000,
  )
  gauge('upswell_cached_accounts', 'Accounts in memory', ({ cachedAccounts }) => cachedAccounts)
  gauge(
    'upswell_refold_records',
    'Committed records that the store lacked when the partition was taken',
    ({ refold }) => refold.total,
  )
  gauge(
    'upswell_refold_done_records',
    'How many of upswell_refold_records are folded again',
    ({ refold }) => refold.done,
  )
  gauge(
    'upswell_checkpoint_lag_records',
    'Stored records after the newest complete checkpoint: a rebuild folds them again',
    ({ checkpoint }) => checkpoint?.records,
  )
  gauge(
    'upswell_checkpoint_age_seconds',
    'Age of the newest complete checkpoint, or without one the time since the partition was taken; 0: nothing changed since',
    ({ checkpoint }) => checkpoint && checkpoint.ageMs / 1000,
  )
}

function gaugeFillings(registry: Registry, fillings: ReadonlyMap<string, Filling>): void {
  const all = () => fillings.values()
  gaugeEach(
    registry,
    all,
    'upswell_fill_accounts',
    'Accounts of the checkpoint from which the empty store is filled now; no series: no filling runs',
    ({ total }) => total,
  )
  gaugeEach(
    registry,
    all,
    'upswell_fill_done_accounts',
    'How many of upswell_fill_accounts are in the store',
    ({ done }) => done,
  )
}
