import type { Signal } from '../signals/signal.ts'
import { SignalGroups } from '../signals/signal-groups.ts'
import { EntryTable, endOfSignals, type SignalEntry, type SignalTable } from '../signals/signal-table.ts'
import {
  type Account,
  advance,
  createAccount,
  LIVE,
  type ModelSet,
  receiveSignal,
  type SignalOutcome,
} from './account.ts'
import { type DroppedCounts, LIMIT_NAMES } from './activity/activity.ts'
import { createTouchedBuffer } from './activity/apply-signal.ts'
import { isInSlice } from './due-slices.ts'
import type { ScoringEvent } from './events.ts'
import { isInHistory, isReleased, setForAccount } from './history.ts'
import type { EntryOf, LogEntry, RecordEntry } from './log-entry.ts'
import { type Occurrence, Occurrences } from './occurrences.ts'
import {
  addModelSet,
  beginPromotion,
  completeSlices,
  continueRelease,
  endHistory,
  type PartitionMemory,
  releases,
} from './partition-memory.ts'
import { type CounterChange, CounterChanges } from './population/counters.ts'
import { KpiCounter } from './population/kpi-counts.ts'
import { prefetch } from './prefetch.ts'
import { modelIdOf } from './standing.ts'
import { switchModels } from './switch-models.ts'

export interface FoldedEvent {
  /** The offset of the record that caused it. */
  readonly offset: number
  readonly event: ScoringEvent
}

export interface FoldResult {
  readonly events: FoldedEvent[]
  /** The accounts to which a record of the batch was applied. */
  readonly touched: ReadonlySet<Account>
  readonly outcomes: Readonly<Record<SignalOutcome, number>>
  readonly hasMemoryChanged: boolean
  /** Changes of the key figures' counters, for the store to add when it writes the accounts. */
  readonly counts: readonly CounterChange[]
  /** The limits that accounts reached, by `LimitName`. */
  readonly limits: readonly Occurrence[]
  /** Names that accounts had for the first time (`TouchedBuffer.begun`): in how many accounts. */
  readonly begun: readonly Occurrence[]
}

/**
 * Folds records of one partition, in order, into its accounts. Pure: records and state alone decide the
 * result. New accounts are added to `accounts`.
 * @param accounts must have every existing account that a signal names or that a tick makes due, and in them
 *   the chunks of the users that the signals name (`users.ts`)
 */
export function foldBatch(
  entries: readonly LogEntry[],
  memory: PartitionMemory,
  accounts: Map<string, Account>,
): FoldResult {
  const fold = new Fold(memory, accounts)
  for (let i = 0; i < entries.length; ) {
    const entry = entries[i]!
    if (entry.type === 'signal') {
      const end = endOfSignals(entries, i)
      fold.applySignals(new EntryTable(entries), i, end)
      i = end
    } else {
      if (entry.type === 'signals') fold.applySignals(entry.signals, entry.from, entry.to)
      else fold.apply(entry)
      i++
    }
  }
  return fold.result()
}

/** Accounts; so few that their prefetched parts are still in the processor's cache when they are folded. */
const PREFETCHED_AT_ONCE = 32

/**
 * One batch. An account meets every record that is about it in the same steps:
 * `#bringTo` (later models and boundaries), then the signal itself, then `#touch`.
 * Events are kept in the order in which they happen.
 */
class Fold {
  readonly #memory: PartitionMemory
  readonly #accounts: Map<string, Account>
  readonly #events: FoldedEvent[] = []
  readonly #touched = new Set<Account>()
  readonly #outcomes = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  readonly #changes = new CounterChanges()
  readonly #counter = new KpiCounter(this.#changes)
  readonly #buffer = createTouchedBuffer()
  readonly #limits = new Occurrences()
  readonly #begun = new Occurrences()
  #hasMemoryChanged = false
  #prefetched = 0

  constructor(memory: PartitionMemory, accounts: Map<string, Account>) {
    this.#memory = memory
    this.#accounts = accounts
  }

  /** Applies the signals from `from` to before `end` account by account, and sorts their events by offset. */
  applySignals(signals: SignalTable, from: number, end: number): void {
    const groups = new SignalGroups(end - from)
    for (let i = from; i < end; i++) groups.add(signals.accountId(i), i - from)
    const found: (Account | undefined)[] = []
    for (let group = 0; group < groups.size; group++)
      found.push(this.#accounts.get(signals.accountId(from + groups.firstOf(group))))
    const eventsBefore = this.#events.length
    for (let group = 0; group < groups.size; group++) {
      let index = groups.firstOf(group)
      if (group % PREFETCHED_AT_ONCE === 0)
        this.#prefetched += prefetch(found, group, group + PREFETCHED_AT_ONCE)
      let account = found[group]
      do {
        const i = from + index
        if (account === undefined || account.lastOffset < signals.offset(i)) {
          account = this.#signal(signals, i, account)
        }
        index = groups.nextAfter(index)
      } while (index > 0)
    }
    sortByOffset(this.#events, eventsBefore)
  }

  /** All but ticks change the memory alone. The accounts follow when they are next touched. */
  apply(entry: Exclude<RecordEntry, SignalEntry>): void {
    const memory = this.#memory
    switch (entry.type) {
      case 'tick':
        this.#tick(entry)
        break
      case 'models':
        if (addModelSet(memory, entry)) this.#hasMemoryChanged = true
        break
      case 'live':
        if (endHistory(memory, entry)) this.#hasMemoryChanged = true
        break
      case 'promotion':
        if (beginPromotion(memory, entry)) this.#hasMemoryChanged = true
        break
      default:
        entry satisfies never
    }
  }

  result(): FoldResult {
    return {
      events: this.#events,
      touched: this.#touched,
      outcomes: this.#outcomes,
      hasMemoryChanged: this.#hasMemoryChanged,
      counts: this.#changes.list(),
      limits: this.#limits.list(),
      begun: this.#begun.list(),
    }
  }

  /** Returns the signal's account: `found`, or a new one. */
  #signal(signals: SignalTable, i: number, found: Account | undefined): Account {
    const signal = signals.signal(i)
    const offset = signals.offset(i)
    const observedAt = Math.max(signals.timestamp(i), signal.occurredAt)
    const account = found ?? this.#create(signal, observedAt)
    if (found === undefined && signals.isHistory(i)) account.historyOffset = offset
    this.#bringTo(account, observedAt, offset)
    if (account.historyOffset !== LIVE) account.historyOffset = signals.isHistory(i) ? offset : LIVE
    // After the boundaries and before the signal: an outcome counts under the tier that it meets.
    const tiersBefore = signal.kind === 'outcome' ? tiersOf(account) : undefined
    const { dropped } = account.activity
    const { outcome, events } = receiveSignal(account, signal, observedAt, found === undefined, this.#buffer)
    if (account.activity.dropped !== dropped) this.#noticeLimits(account, dropped)
    const { begun } = this.#buffer
    for (let k = 0; k < begun.length; k++) this.#begun.add(begun[k]!, 1, account.id)
    this.#keepEvents(account, offset, events)
    this.#outcomes[outcome]++
    if (tiersBefore !== undefined && (outcome === 'applied' || outcome === 'late'))
      this.#counter.countOutcome(account, signal, tiersBefore)
    this.#touch(account, offset)
    return account
  }

  #create(signal: Signal, observedAt: number): Account {
    const cause = { type: 'signal', signalId: signal.id } as const
    const account = createAccount(signal.accountId, observedAt, this.#memory.modelSets.at(-1)!, cause)
    this.#accounts.set(account.id, account)
    this.#counter.countArrival(account, () => true)
    return account
  }

  #tick(tick: EntryOf<'tick'>): void {
    const memory = this.#memory
    for (const account of this.#accountsOf(tick)) {
      if (account.lastOffset >= tick.offset) continue
      this.#bringTo(account, this.#timeOf(tick, account), tick.offset)
      this.#touch(account, tick.offset)
    }
    if (continueRelease(memory, tick)) this.#hasMemoryChanged = true
    // The slices of a models or promotion record follow it in order: after the last one every account is
    // brought past it.
    const isLastOfAll = tick.scope === 'all' && tick.slice === tick.of - 1
    if (isLastOfAll && completeSlices(memory)) this.#hasMemoryChanged = true
  }

  /** The accounts that a tick touches, ascending by id: the log alone decides the order of outputs. */
  #accountsOf(tick: EntryOf<'tick'>): Account[] {
    const { liveOffset } = this.#memory
    const isReleasing = releases(this.#memory, tick)
    const found: Account[] = []
    for (const account of this.#accounts.values()) {
      const isTouched =
        tick.scope === 'all' ||
        // A tick that releases none must not touch the ones that are in memory by chance.
        (isReleased(account, liveOffset) ? isReleasing : account.dueAt <= this.#timeOf(tick, account))
      if (isTouched && isInSlice(account.id, tick.slice, tick.of)) found.push(account)
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Ticks of the wall clock pass time for live accounts alone, ticks of events for those in history. */
  #timeOf({ clock, timestamp }: EntryOf<'tick'>, account: Account): number {
    const isOfEvents = clock === 'event'
    return isInHistory(account, this.#memory.liveOffset) === isOfEvents ? timestamp : Number.NEGATIVE_INFINITY
  }

  /**
   * Before anything else: the account gets later models, and passes the boundaries up to `time`. If it was
   * released, it is live from now on.
   */
  #bringTo(account: Account, time: number, offset: number): void {
    const { modelSets } = this.#memory
    if (modelSets[modelSets.length - 1]!.offset > account.modelsOffset) {
      for (const memorySet of modelSets) {
        if (memorySet.offset <= account.modelsOffset) continue
        const set = setForAccount(account, memorySet)
        // Still with the old models: PQLs at these boundaries are theirs.
        this.#passTime(account, set.at, offset)
        this.#switch(account, set, offset)
      }
    }
    this.#passTime(account, time, offset)
    if (isReleased(account, this.#memory.liveOffset)) account.historyOffset = LIVE
  }

  #passTime(account: Account, until: number, offset: number): void {
    this.#keepEvents(account, offset, advance(account, until))
  }

  #switch(account: Account, set: ModelSet, offset: number): void {
    const known = knownModels(account)
    const { dropped } = account.activity
    this.#keepEvents(account, offset, switchModels(account, set))
    this.#noticeLimits(account, dropped)
    this.#counter.countArrival(account, modelId => !known.has(modelId))
  }

  #noticeLimits({ id, activity: { dropped } }: Account, before: DroppedCounts): void {
    for (const name of LIMIT_NAMES)
      if (dropped[name] > before[name]) this.#limits.add(name, dropped[name] - before[name], id)
  }

  /** Keeps events and counts PQLs, before the account changes again: the counters read its present state. */
  #keepEvents(account: Account, offset: number, events: readonly ScoringEvent[]): void {
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!
      if (event.type === 'pql') this.#counter.countPql(account, event)
      this.#events.push({ offset, event })
    }
  }

  #touch(account: Account, offset: number): void {
    account.lastOffset = offset
    this.#touched.add(account)
  }
}

/** Sorts the events from index `from` on. The sort is stable: events of one record keep their order. */
function sortByOffset(events: FoldedEvent[], from: number): void {
  if (events.length - from < 2) return
  const sorted = events.splice(from).sort((a, b) => a.offset - b.offset)
  for (let i = 0; i < sorted.length; i++) events.push(sorted[i]!)
}

/** The ids of the models that the account is or was under. */
function knownModels({ standings, activity: { endedModels, formerTiers } }: Account): ReadonlySet<string> {
  const known = new Set<string>(formerTiers.keys())
  for (const { model } of standings) known.add(model.definition.id)
  for (const key of endedModels.keys()) known.add(modelIdOf(key))
  return known
}

function tiersOf({ standings }: Account): string[] {
  return standings.map(({ model, tier }) => model.definition.tiers[tier]!.name)
}
