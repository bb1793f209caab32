import type { Signal } from '../signals/signal.ts'
import { SignalGroups } from '../signals/signal-groups.ts'
import {
  EntryTable,
  endOfSignals,
  type SignalEntry,
  type SignalsEntry,
  type SignalTable,
} from '../signals/signal-table.ts'
import {
  type Account,
  advance,
  createAccount,
  isInSlice,
  type ModelSet,
  NO_MODELS,
  receiveSignal,
  type SignalOutcome,
  switchModels,
} from './account.ts'
import type { ScoringEvent } from './outputs.ts'
import { type CounterChange, CounterChanges } from './population/counters.ts'
import { KpiCounter } from './population/kpi-counts.ts'
import { prefetch } from './prefetch.ts'
import { modelIdOf } from './standing.ts'

/** What there is to fold: a record of the log, or many that are signals. */
export type LogEntry = RecordEntry | SignalsEntry

/** A record of the `signals` log, decoded. */
export type RecordEntry =
  | SignalEntry
  | ({ readonly type: 'tick'; readonly offset: number; readonly timestamp: number } & TickSlice)
  | ({ readonly type: 'models' } & ModelSet)
  /** From here on time is the wall clock's again, after history was loaded. */
  | { readonly type: 'live'; readonly offset: number }
  | ({ readonly type: 'promotion' } & Omit<Promotion, 'isComplete'>)

/** From a record of the log on, what is published and served is what one line of scoring makes of it, and no other: see docs/replay.md. */
export interface Promotion {
  /** Of the record. */
  readonly offset: number
  /** Of the line. */
  readonly namespace: string
  /** What was configured until then, as `contentHash`es: it does not take the place of the line's own models. */
  readonly replacedModels: readonly string[]
  /** Every account has been told of, where it stands otherwise than it did. */
  readonly isComplete: boolean
}

/**
 * Time has passed for the accounts that are in one of `of` slices (`isInSlice`): for those that are due, or for all. `clock` says whose time: the wall's, which does
 * not pass while history is being loaded, or that of the events of the history itself.
 */
export interface TickSlice {
  readonly clock: 'wall' | 'event'
  readonly slice: number
  readonly of: number
  readonly scope: 'due' | 'all'
}

/** What a partition as a whole remembers. */
export interface PartitionMemory {
  /** In the log's order; earlier ones are kept until every account has been brought past them. Never empty. */
  modelSets: ModelSet[]
  /** The newest signal was loaded as history: time is that of its events, and the wall clock does not pass. */
  history: boolean
  /** The last one. */
  promotion: Promotion | undefined
}

export function createPartitionMemory(): PartitionMemory {
  return { modelSets: [NO_MODELS], history: false, promotion: undefined }
}

export interface FoldedEvent {
  readonly offset: number
  readonly event: ScoringEvent
}

export interface FoldResult {
  readonly events: FoldedEvent[]
  /** Accounts that some record of the batch was applied to. */
  readonly touched: ReadonlySet<Account>
  readonly outcomes: Readonly<Record<SignalOutcome, number>>
  readonly memoryChanged: boolean
  /** What the key figures are made of: to be added to the store's counters together with the accounts. */
  readonly counts: readonly CounterChange[]
}

/**
 * Folds records of one partition, in order, into its accounts. Pure: the result is decided by the records and the state alone.
 * `accounts` holds every account that a signal names, if it exists, and those that a tick's slice makes due; new ones are added to it.
 * Accounts must hold the chunks of the users that the signals name (`users.ts`).
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

/** Accounts: what is read of so many stays in the processor's cache until they are folded. */
const FETCHED_AT_ONCE = 32

/** One batch on its way. */
class Fold {
  readonly #memory: PartitionMemory
  readonly #accounts: Map<string, Account>
  readonly #events: FoldedEvent[] = []
  readonly #touched = new Set<Account>()
  readonly #outcomes = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  readonly #changes = new CounterChanges()
  readonly #counter = new KpiCounter(this.#changes)
  #memoryChanged = false
  #fetched = 0

  constructor(memory: PartitionMemory, accounts: Map<string, Account>) {
    this.#memory = memory
    this.#accounts = accounts
  }

  /** Those at `from` to before `end`, in the log's order; by account, but events are told in that order all the same. */
  applySignals(signals: SignalTable, from: number, end: number): void {
    const groups = new SignalGroups(end - from)
    for (let i = from; i < end; i++) groups.add(signals.accountId(i), i - from)
    const found: (Account | undefined)[] = []
    for (let group = 0; group < groups.size; group++)
      found.push(this.#accounts.get(signals.accountId(from + groups.firstOf(group))))
    const eventsBefore = this.#events.length
    let newest = -1
    for (let group = 0; group < groups.size; group++) {
      let place = groups.firstOf(group)
      if (group % FETCHED_AT_ONCE === 0) this.#fetched += prefetch(found, group, group + FETCHED_AT_ONCE)
      let account = found[group]
      do {
        const i = from + place
        if (account === undefined || account.lastOffset < signals.offset(i)) {
          account = this.#signal(signals, i, account)
          if (signals.isHistory(i) !== this.#memory.history) this.#memoryChanged = true
          if (i > newest) newest = i
        }
        place = groups.nextAfter(place)
      } while (place > 0)
    }
    if (newest >= 0) this.#memory.history = signals.isHistory(newest)
    sortByOffset(this.#events, eventsBefore)
  }

  apply(entry: Exclude<RecordEntry, SignalEntry>): void {
    switch (entry.type) {
      case 'tick':
        this.#tick(entry)
        break
      case 'models':
        this.#models(entry)
        break
      case 'live':
        this.#memoryChanged ||= this.#memory.history
        this.#memory.history = false
        break
      case 'promotion':
        this.#promotion(entry)
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
      memoryChanged: this.#memoryChanged,
      counts: this.#changes.list(),
    }
  }

  /** Returns its account, which is begun with it if there is none. */
  #signal(signals: SignalTable, place: number, found: Account | undefined): Account {
    const signal = signals.signal(place)
    const offset = signals.offset(place)
    const observedAt = Math.max(signals.timestamp(place), signal.occurredAt)
    const account = found ?? this.#begin(signal, observedAt)
    this.#catchUp(account, offset)
    // The boundaries come first, so that the tiers are those just before the signal.
    this.#happened(account, offset, advance(account, observedAt))
    const tiersBefore = signal.kind === 'outcome' ? tiersOf(account) : undefined
    const { outcome, events } = receiveSignal(account, signal, observedAt, found === undefined)
    this.#happened(account, offset, events)
    this.#outcomes[outcome]++
    if (tiersBefore !== undefined && (outcome === 'applied' || outcome === 'late'))
      this.#counter.countOutcome(account, signal, tiersBefore)
    this.#touch(account, offset)
    return account
  }

  #begin(signal: Signal, observedAt: number): Account {
    const cause = { type: 'signal', signalId: signal.id } as const
    const account = createAccount(signal.accountId, observedAt, this.#memory.modelSets.at(-1)!, cause)
    this.#accounts.set(account.id, account)
    this.#counter.countArrival(account, () => true)
    return account
  }

  #tick(tick: EntryOf<'tick'>): void {
    const memory = this.#memory
    const time = memory.history && tick.clock === 'wall' ? Number.NEGATIVE_INFINITY : tick.timestamp
    for (const account of accountsOf(tick, time, this.#accounts)) {
      if (account.lastOffset >= tick.offset) continue
      this.#catchUp(account, tick.offset)
      this.#happened(account, tick.offset, advance(account, time))
      this.#touch(account, tick.offset)
    }
    // The slices follow their models or promotion record in order: with the last one no account is behind any more.
    if (tick.scope !== 'all' || tick.slice !== tick.of - 1) return
    const { modelSets, promotion } = memory
    this.#memoryChanged ||= modelSets.length > 1 || promotion?.isComplete === false
    memory.modelSets = modelSets.slice(-1)
    if (promotion !== undefined) memory.promotion = { ...promotion, isComplete: true }
  }

  #models({ offset, at, models }: EntryOf<'models'>): void {
    const memory = this.#memory
    if (memory.modelSets.at(-1)!.offset >= offset) return
    // In the midst of history each account switches at its own clock: the record's time is far ahead of it.
    memory.modelSets = [...memory.modelSets, { offset, at: memory.history ? 0 : at, models }]
    this.#memoryChanged = true
  }

  #promotion({ offset, namespace, replacedModels }: EntryOf<'promotion'>): void {
    const memory = this.#memory
    // Told twice, it happens once.
    if (memory.promotion?.namespace === namespace) return
    if (memory.promotion !== undefined && memory.promotion.offset >= offset) return
    memory.promotion = { offset, namespace, replacedModels, isComplete: false }
    this.#memoryChanged = true
  }

  /** Brings an account under the models that came since it was last touched. */
  #catchUp(account: Account, offset: number): void {
    const { modelSets } = this.#memory
    if (modelSets[modelSets.length - 1]!.offset <= account.modelsOffset) return
    for (const set of modelSets) {
      if (set.offset <= account.modelsOffset) continue
      const before = new Set(account.standings.map(({ model }) => model.definition.id))
      // First the boundaries that it passes under its old models, which count what they do.
      this.#happened(account, offset, advance(account, set.at))
      this.#happened(account, offset, switchModels(account, set))
      const stoodBefore = [...account.activity.endedModels.keys()].map(modelIdOf)
      this.#counter.countArrival(account, modelId => !before.has(modelId) && !stoodBefore.includes(modelId))
    }
  }

  /** Events that the account's present state brought about: before anything else is done with it. */
  #happened(account: Account, offset: number, events: readonly ScoringEvent[]): void {
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

/** The events from one place on; those of one record stay as they came. */
function sortByOffset(events: FoldedEvent[], from: number): void {
  if (events.length - from < 2) return
  const sorted = events.splice(from).sort((a, b) => a.offset - b.offset)
  for (let i = 0; i < sorted.length; i++) events.push(sorted[i]!)
}

type EntryOf<Type extends RecordEntry['type']> = Extract<RecordEntry, { readonly type: Type }>

/** The accounts that a tick is for, by ascending id, so that the order of outputs is the log's alone. */
function accountsOf(tick: TickSlice, time: number, accounts: ReadonlyMap<string, Account>): Account[] {
  const concerned: Account[] = []
  for (const account of accounts.values()) {
    if (tick.scope === 'due' && account.dueAt > time) continue
    if (isInSlice(account.id, tick.slice, tick.of)) concerned.push(account)
  }
  return concerned.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function tiersOf({ standings }: Account): string[] {
  return standings.map(({ model, tier }) => model.definition.tiers[tier]!.name)
}
