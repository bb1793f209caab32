import { readFileSync } from 'node:fs'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { Motion } from '../../src/scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import { type CounterBook, CounterChanges } from '../../src/scoring/population/counters.ts'
import type { Signal } from '../../src/signals/signal.ts'

/** The sample's accounts under some models. */
export interface ScoredSample {
  /** Folds signals, then lets time pass to `now`. */
  fold(signals: readonly Signal[], now: number): ScoringEvent[]
  tiers(modelId: string): Readonly<Record<string, number>>
  pqls(modelId: string): SamplePql[]
  model(modelId: string): CompiledModel
  /** The input of the key figures. */
  books(): ReadonlyMap<string, CounterBook>
  readonly accounts: ReadonlyMap<string, Account>
}

interface SamplePql {
  readonly motion: Motion
  readonly status: 'open' | 'held'
  readonly accountId: string
}

/** Accounts of the sample under shipped models, all in one partition. */
export function scoreSample(modelIds: readonly string[]): ScoredSample {
  const library = new ModelLibrary()
  const models = modelIds.map(id => {
    const file = new URL(`../../models/${id}.yaml`, import.meta.url)
    return library.compile({ file: file.pathname, text: readFileSync(file, 'utf8') })
  })
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  const counts = new CounterChanges()
  let offset = 0
  const fold = (entries: readonly LogEntry[]): ScoringEvent[] => {
    const result = foldBatch(entries, memory, accounts)
    counts.addAll(result.counts)
    return result.events.map(({ event }) => event)
  }
  const model = (modelId: string): CompiledModel =>
    models.find(({ definition }) => definition.id === modelId)!
  const standingOf = ({ standings }: Account, modelId: string) =>
    standings.find(({ model }) => model.definition.id === modelId)!

  fold([{ type: 'models', offset, at: 0, models }])
  return {
    accounts,
    model,
    fold(signals, now) {
      const entries = signals.map(
        (signal): LogEntry => ({
          type: 'signal',
          offset: ++offset,
          timestamp: signal.occurredAt,
          signal,
          history: true,
        }),
      )
      const tick: LogEntry = {
        type: 'tick',
        offset: ++offset,
        timestamp: now,
        slice: 0,
        of: 1,
        scope: 'due',
        clock: 'event',
      }
      return fold([...entries, tick])
    },
    tiers(modelId) {
      const { tiers } = model(modelId).definition
      const counts: Record<string, number> = Object.fromEntries(tiers.map(({ name }) => [name, 0]))
      for (const account of accounts.values()) counts[tiers[standingOf(account, modelId).tier]!.name]!++
      return counts
    },
    pqls(modelId) {
      const { triggers } = model(modelId).definition
      return [...accounts.values()].flatMap(account =>
        standingOf(account, modelId).triggers.flatMap((state, i) =>
          state.status === 'idle'
            ? []
            : [{ motion: triggers[i]!.motion, status: state.status, accountId: account.id }],
        ),
      )
    },
    books: () => bookMap(counts),
  }
}

export function bookMap(changes: CounterChanges): Map<string, CounterBook> {
  const books = new Map<string, Map<string, number>>()
  for (const { book, field, delta } of changes.list()) {
    if (!books.has(book)) books.set(book, new Map())
    books.get(book)!.set(field, delta)
  }
  return books
}
