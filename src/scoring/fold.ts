import {
  type Account,
  advance,
  createAccount,
  dueBucketOf,
  type ModelSet,
  NO_MODELS,
  receiveSignal,
  type SignalOutcome,
  switchModels,
} from './account.ts'
import type { ScoringEvent } from './outputs.ts'
import { type CounterChange, CounterChanges } from './population/counters.ts'
import { KpiCounter } from './population/kpi-counts.ts'
import type { Signal } from './signal.ts'
import { modelIdOf } from './standing.ts'

/** A record of the `signals` log, decoded. */
export type LogEntry =
  | {
      readonly type: 'signal'
      readonly offset: number
      readonly timestamp: number
      readonly signal: Signal
      readonly history: boolean
    }
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
 * Time has passed for the accounts whose bucket is `slice` modulo `of`: for those that are due, or for all. `clock` says whose time: the wall's, which does
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
  const events: FoldedEvent[] = []
  const touched = new Set<Account>()
  const outcomes = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  let memoryChanged = false
  const changes = new CounterChanges()
  const counter = new KpiCounter(changes)
  /** Events that the account's present state brought about: before anything else is done with it. */
  const count = (account: Account, happened: readonly ScoringEvent[]): readonly ScoringEvent[] => {
    for (const event of happened) if (event.type === 'pql') counter.countPql(account, event)
    return happened
  }
  const catchUp = (account: Account): ScoringEvent[] => {
    const happened: ScoringEvent[] = []
    for (const set of memory.modelSets) {
      if (set.offset <= account.modelsOffset) continue
      const before = new Set(account.standings.map(({ model }) => model.definition.id))
      // First the boundaries that it passes under its old models, which count what they do.
      happened.push(...count(account, advance(account, set.at)))
      happened.push(...count(account, switchModels(account, set)))
      const stoodBefore = [...account.activity.endedModels.keys()].map(modelIdOf)
      counter.countArrival(account, modelId => !before.has(modelId) && !stoodBefore.includes(modelId))
    }
    return happened
  }
  const keep = (account: Account, offset: number, happened: readonly ScoringEvent[]): void => {
    account.lastOffset = offset
    touched.add(account)
    for (const event of happened) events.push({ offset, event })
  }

  for (const entry of entries) {
    switch (entry.type) {
      case 'signal': {
        const { signal, offset } = entry
        const observedAt = Math.max(entry.timestamp, signal.occurredAt)
        let account = accounts.get(signal.accountId)
        if (account !== undefined && account.lastOffset >= offset) break
        const isNew = account === undefined
        if (account === undefined) {
          account = createAccount(signal.accountId, observedAt, memory.modelSets.at(-1)!, {
            type: 'signal',
            signalId: signal.id,
          })
          accounts.set(account.id, account)
          counter.countArrival(account, () => true)
        }
        const happened = catchUp(account)
        // The boundaries come first, so that the tiers are those just before the signal.
        happened.push(...count(account, advance(account, observedAt)))
        const tiersBefore = signal.kind === 'outcome' ? tiersOf(account) : []
        const received = receiveSignal(account, signal, observedAt, isNew)
        happened.push(...count(account, received.events))
        outcomes[received.outcome]++
        if (signal.kind === 'outcome' && (received.outcome === 'applied' || received.outcome === 'late'))
          counter.countOutcome(account, signal, tiersBefore)
        keep(account, offset, happened)
        if (memory.history !== entry.history) {
          memory.history = entry.history
          memoryChanged = true
        }
        break
      }
      case 'tick': {
        const time = memory.history && entry.clock === 'wall' ? Number.NEGATIVE_INFINITY : entry.timestamp
        for (const account of accountsOf(entry, time, accounts)) {
          if (account.lastOffset >= entry.offset) continue
          const happened = catchUp(account)
          happened.push(...count(account, advance(account, time)))
          keep(account, entry.offset, happened)
        }
        // The slices follow their models or promotion record in order: with the last one no account is behind any more.
        if (entry.scope === 'all' && entry.slice === entry.of - 1) {
          const { modelSets, promotion } = memory
          memoryChanged ||= modelSets.length > 1 || promotion?.isComplete === false
          memory.modelSets = modelSets.slice(-1)
          if (promotion !== undefined) memory.promotion = { ...promotion, isComplete: true }
        }
        break
      }
      case 'models': {
        if (memory.modelSets.at(-1)!.offset >= entry.offset) break
        // In the midst of history each account switches at its own clock: the record's time is far ahead of it.
        const at = memory.history ? 0 : entry.at
        memory.modelSets = [...memory.modelSets, { offset: entry.offset, at, models: entry.models }]
        memoryChanged = true
        break
      }
      case 'live': {
        memoryChanged ||= memory.history
        memory.history = false
        break
      }
      case 'promotion': {
        const { offset, namespace, replacedModels } = entry
        // Told twice, it happens once.
        if (memory.promotion?.namespace === namespace) break
        if (memory.promotion !== undefined && memory.promotion.offset >= offset) break
        memory.promotion = { offset, namespace, replacedModels, isComplete: false }
        memoryChanged = true
        break
      }
      default:
        entry satisfies never
    }
  }
  return { events, touched, outcomes, memoryChanged, counts: changes.list() }
}

/** The accounts that a tick is for, by ascending id, so that the order of outputs is the log's alone. */
function accountsOf(tick: TickSlice, time: number, accounts: ReadonlyMap<string, Account>): Account[] {
  const concerned: Account[] = []
  for (const account of accounts.values()) {
    if (dueBucketOf(account.id) % tick.of !== tick.slice) continue
    if (tick.scope === 'all' || account.dueAt <= time) concerned.push(account)
  }
  return concerned.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function tiersOf({ standings }: Account): string[] {
  return standings.map(({ model, tier }) => model.definition.tiers[tier]!.name)
}
