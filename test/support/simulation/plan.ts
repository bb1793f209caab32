import type { Signal } from '../../../src/signals/signal.ts'
import type { Burst } from './burst.ts'

/**
 * All actions and faults of a run as plain data, made from a seed. Leaving some out makes it smaller. The
 * seed also decides how long each call takes, so a plan always gives the same run.
 */
export interface Plan {
  readonly seed: number
  /** What was added to a random plan; see `make-wide-plans.ts`. */
  readonly kind?: 'history' | 'clocks' | 'many-accounts' | 'retry'
  /** Partitions of `signals`, and so of the store. */
  readonly partitions: number
  /** Partitions of every other topic. */
  readonly otherPartitions: number
  readonly workers: number
  readonly batchSize: number
  /** The wall clock when the run begins, ms. */
  readonly startMs: number
  /** The models that are configured at first: an index in the list of model sets. */
  readonly models: number
  /** See `FlushTiming`. 0: the store is written with each batch. */
  readonly flushIntervalMs: number
  /** How checkpoints are written. Undefined: none are. */
  readonly checkpoints: PlannedCheckpoints | undefined
  readonly steps: readonly PlannedStep[]
  readonly faults: readonly CallFault[]
}

/**
 * See `CheckpointTiming`. `emptiesAtRest`: when everything is at rest, the store loses all data and must
 * recover.
 */
export interface PlannedCheckpoints {
  readonly intervalMs: number
  readonly accountsPerBatch: number
  readonly emptiesAtRest: boolean
}

/** `pauseMs`: simulated time since the previous step. `leapMs`: how far all wall clocks leap beyond that. */
export interface PlannedStep {
  readonly pauseMs: number
  readonly leapMs: number
  readonly action: Action
}

export type Action =
  /** Sends a signal through ingest, or straight to `signals`, as the API and `upswell send` do. */
  | { readonly type: 'signal'; readonly signal: Signal; readonly way: 'source' | 'direct' | 'history' }
  /** Sends many signals straight to `signals`, in one transaction. */
  | { readonly type: 'burst'; readonly burst: Burst }
  | { readonly type: 'poison'; readonly where: 'source' | 'signals'; readonly how: Poison }
  /** Ends a history in all partitions. */
  | { readonly type: 'live' }
  /**
   * Adds a tick that no owner asked for, in this many slices. `aheadMs`: its time minus the wall clock; with
   * the clock of events, minus the start of the run.
   */
  | {
      readonly type: 'tick'
      readonly partition: number
      readonly aheadMs: number
      readonly all: boolean
      readonly slices: number
      readonly clock?: 'event'
    }
  /** Configures other models. The workers restart one by one. */
  | { readonly type: 'models'; readonly models: number }
  | { readonly type: 'rebalance' }
  | { readonly type: 'crash'; readonly worker: number }
  | { readonly type: 'freeze'; readonly worker: number; readonly forMs: number }
  /** Makes the clock of one worker wrong. */
  | { readonly type: 'clock'; readonly worker: number; readonly byMs: number }
  /** The store loses this many of its newest writes. */
  | { readonly type: 'roll-back'; readonly writes: number }
  | { readonly type: 'empty' }
  /**
   * Another process begins to empty a partition of the store, as `upswell rebuild` does, and does not finish.
   */
  | { readonly type: 'clear'; readonly partition: number }
  /** Compacts this share of a partition of the checkpoints, from its beginning. */
  | { readonly type: 'compact'; readonly partition: number; readonly share: number }
  /**
   * Retention deletes the oldest records of a partition of `signals`: this share of those that the newest
   * checkpoint replaces.
   */
  | { readonly type: 'retention'; readonly partition: number; readonly share: number }
  /** Nobody gets an answer from the log, or the store, for a while. */
  | { readonly type: 'outage'; readonly of: 'log' | 'store'; readonly forMs: number }
  /** An operator moves the score group back by this many records, in all partitions. */
  | { readonly type: 'move-back'; readonly records: number }

export type Poison = 'not-json' | 'empty' | 'wrong-key' | 'wrong-partition' | 'no-key' | 'future'

/** Every call that the loop, recovery or ingest waits for. */
export const OPERATIONS = [
  'log.init',
  'log.offset',
  'log.fetch',
  'log.produce',
  'log.offsets',
  'log.end',
  'log.append',
  'log.partitions',
  'log.ranges',
  'log.read',
  'store.fence',
  'store.load',
  'store.users',
  'store.due',
  'store.countDue',
  'store.readPartition',
  'store.save',
  // A save to a partition that is being restored from a checkpoint.
  'store.fill',
  'store.claim',
  'store.clear',
  'store.drop',
  'store.readStoredOffset',
  'store.readPartitionCounters',
] as const
export type Operation = (typeof OPERATIONS)[number]

/** A fault in the `nth` call (from 1) of an operation in the run, by any process. */
export interface CallFault {
  readonly on: Operation
  readonly nth: number
  readonly kind: CallFaultKind
}

//  fault         the call takes effect         the caller
//  crash-before  never                         dies
//  crash-after   at once                       dies
//  lost          never                         gets an error
//  unclear       at once                       gets an error
//  late          seconds later                 gets an error
//  twice         at once, and again later      gets an error
//  slow          seconds later                 gets the answer after that
//  freeze        at once                       freezes for longer than its group waits, then continues
export type CallFaultKind =
  | 'crash-before'
  | 'crash-after'
  | 'lost'
  | 'unclear'
  | 'late'
  | 'twice'
  | 'slow'
  | 'freeze'
