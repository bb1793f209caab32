import type { Hash64 } from '../lib/hash.ts'
import { idHashOf, type Signal, userHashOf } from './signal.ts'

/** A signal with its record of the log. */
export interface SignalEntry {
  readonly type: 'signal'
  readonly offset: number
  readonly timestamp: number
  readonly signal: Signal
  readonly history: boolean
}

/** Signals with their records of the log, indexed by place. */
export interface SignalTable {
  offset(place: number): number
  /** The record's timestamp, ms. */
  timestamp(place: number): number
  /** Loaded as history: the events' own time passes. */
  isHistory(place: number): boolean
  accountId(place: number): string
  /** `hash64` of the signal's id. */
  idHash(place: number): Hash64
  /** Undefined: the signal names no user. */
  userHash(place: number): Hash64 | undefined
  /** May be the same object for all places: valid until the next call. */
  signal(place: number): Signal
}

/** A run of records that are all signals: a table's places from `from` to before `to`. */
export interface SignalsEntry {
  readonly type: 'signals'
  readonly signals: SignalTable
  readonly from: number
  readonly to: number
}

/** The runs of signals among entries of the log, in order. */
export function signalRuns(
  entries: readonly { readonly type: string }[],
): readonly Omit<SignalsEntry, 'type'>[] {
  const runs: Omit<SignalsEntry, 'type'>[] = []
  for (let i = 0; i < entries.length; ) {
    const entry = entries[i]!
    if (entry.type === 'signals') runs.push(entry as SignalsEntry)
    const end = endOfSignals(entries, i)
    if (end > i) runs.push({ signals: new EntryTable(entries), from: i, to: end })
    i = Math.max(end, i + 1)
  }
  return runs
}

/** The index after the run of single signals that begins at `from`; `from` itself if there is no run. */
export function endOfSignals(entries: readonly { readonly type: string }[], from: number): number {
  let end = from
  while (end < entries.length && entries[end]!.type === 'signal') end++
  return end
}

/** Entries of the log as a table. A place that is asked for must be a signal. */
export class EntryTable implements SignalTable {
  readonly #entries: readonly SignalEntry[]

  constructor(entries: readonly { readonly type: string }[]) {
    this.#entries = entries as readonly SignalEntry[]
  }

  offset(place: number): number {
    return this.#entries[place]!.offset
  }

  timestamp(place: number): number {
    return this.#entries[place]!.timestamp
  }

  isHistory(place: number): boolean {
    return this.#entries[place]!.history
  }

  accountId(place: number): string {
    return this.#entries[place]!.signal.accountId
  }

  idHash(place: number): Hash64 {
    return idHashOf(this.#entries[place]!.signal)
  }

  userHash(place: number): Hash64 | undefined {
    return userHashOf(this.#entries[place]!.signal)
  }

  signal(place: number): Signal {
    return this.#entries[place]!.signal
  }
}
