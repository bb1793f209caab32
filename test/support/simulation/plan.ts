import type { Signal } from '../../../src/signals/signal.ts'

/**
 * All that a run does and suffers, as plain data: made from a seed, and made smaller by leaving things out. The seed also decides how long each
 * call takes, so a plan is run in one way only.
 */
export interface Plan {
  readonly seed: number
  /** Of `signals`, and so of the store. */
  readonly partitions: number
  /** Of every other topic. */
  readonly otherPartitions: number
  readonly workers: number
  readonly batchSize: number
  /** The wall clock when the run begins, ms. */
  readonly startMs: number
  /** The models that are configured at first: a place in the list of model sets. */
  readonly models: number
  /** See `FlushTiming`; 0: the store is written with each batch. */
  readonly flushIntervalMs: number
  /** How checkpoints are written; undefined: there are none. */
  readonly checkpoints: PlannedCheckpoints | undefined
  readonly steps: readonly PlannedStep[]
  readonly faults: readonly CallFault[]
}

/** See `CheckpointTiming`. `emptiesAtRest`: when all has come to rest the store loses everything, and must come back. */
export interface PlannedCheckpoints {
  readonly intervalMs: number
  readonly accountsPerBatch: number
  readonly emptiesAtRest: boolean
}

/** `pauseMs`: simulated time since the step before. `leapMs`: by how much the wall clock goes ahead of that, for all. */
export interface PlannedStep {
  readonly pauseMs: number
  readonly leapMs: number
  readonly action: Action
}

export type Action =
  /** By way of ingest, or straight into `signals`, as the API and `upswell send` do. */
  | { readonly type: 'signal'; readonly signal: Signal; readonly way: 'source' | 'direct' | 'history' }
  | { readonly type: 'poison'; readonly where: 'source' | 'signals'; readonly how: Poison }
  /** Ends a history in all partitions. */
  | { readonly type: 'live' }
  /** A tick that no owner asked for, in so many slices. `aheadMs`: its time, seen from the wall clock. */
  | {
      readonly type: 'tick'
      readonly partition: number
      readonly aheadMs: number
      readonly all: boolean
      readonly slices: number
    }
  /** Other models are configured; the workers start anew, one after the other. */
  | { readonly type: 'models'; readonly models: number }
  | { readonly type: 'rebalance' }
  | { readonly type: 'crash'; readonly worker: number }
  | { readonly type: 'freeze'; readonly worker: number; readonly forMs: number }
  /** The clock of one worker goes wrong. */
  | { readonly type: 'clock'; readonly worker: number; readonly byMs: number }
  /** The store loses its newest writes, this many. */
  | { readonly type: 'roll-back'; readonly writes: number }
  | { readonly type: 'empty' }
  /** Somebody empties a partition of the store, as `upswell rebuild` does, and does not come to the end of it. */
  | { readonly type: 'clear'; readonly partition: number }
  /** Compaction of a prefix of a partition of the checkpoints: so much of it. */
  | { readonly type: 'compact'; readonly partition: number; readonly share: number }
  /** Retention deletes the oldest records of a partition of `signals`: so much of what the newest checkpoint makes up for. */
  | { readonly type: 'retention'; readonly partition: number; readonly share: number }
  /** Nobody gets an answer of the log, or of the store, for a while. */
  | { readonly type: 'outage'; readonly of: 'log' | 'store'; readonly forMs: number }
  /** An operator moves the score group back by this many records, in all partitions. */
  | { readonly type: 'move-back'; readonly records: number }

export type Poison = 'not-json' | 'empty' | 'wrong-key' | 'no-key' | 'future'

/** Every wait of the loop, of recovery and of ingest. */
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
  // A save to a partition that is made anew from a checkpoint.
  'store.fill',
  'store.claim',
  'store.clear',
  'store.drop',
  'store.readStoredOffset',
  'store.readPartitionCounters',
] as const
export type Operation = (typeof OPERATIONS)[number]

/** What happens to the `nth` call (from 1) of an operation in the run, whoever makes it. */
export interface CallFault {
  readonly on: Operation
  readonly nth: number
  readonly kind: CallFaultKind
}

export type CallFaultKind =
  /** The process dies and the call is not made; it is made and the process dies. */
  | 'crash-before'
  | 'crash-after'
  /** The caller gets an error: nothing happened; it happened; it happens seconds later; it happened, and happens again later. */
  | 'lost'
  | 'unclear'
  | 'late'
  | 'twice'
  | 'slow'
  /** The process stands still once the call is made, for longer than the group waits for it; then it goes on. */
  | 'freeze'
