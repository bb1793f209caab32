import { readFileSync } from 'node:fs'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import { createPartitionMemory, foldBatch, type LogEntry } from '../../src/scoring/fold.ts'
import type { Motion } from '../../src/scoring/model-definition.ts'
import type { ScoringEvent } from '../../src/scoring/outputs.ts'
import type { Signal } from '../../src/scoring/signal.ts'

/** Accounts of the sample under the shipped Revenue Score, all in one partition. */
export interface ScoredSample {
  /** Folds signals, and then lets the time pass to `now`. */
  fold(signals: readonly Signal[], now: number): ScoringEvent[]
  tiers(): Readonly<Record<string, number>>
  pqls(): { readonly motion: Motion; readonly status: 'open' | 'held'; readonly accountId: string }[]
  readonly accounts: ReadonlyMap<string, Account>
}

const FILE = new URL('../../models/expansion-revenue-score.yaml', import.meta.url)

export function scoreSample(): ScoredSample {
  const model = new ModelLibrary().compile({ file: FILE.pathname, text: readFileSync(FILE, 'utf8') })
  const { tiers, triggers } = model.definition
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  let offset = 0
  foldBatch([{ type: 'models', offset, at: 0, models: [model] }], memory, accounts)
  return {
    accounts,
    fold(signals, now) {
      const entries: LogEntry[] = signals.map(signal => ({
        type: 'signal',
        offset: ++offset,
        timestamp: signal.occurredAt,
        signal,
        history: true,
      }))
      entries.push({
        type: 'tick',
        offset: ++offset,
        timestamp: now,
        slice: 0,
        of: 1,
        scope: 'due',
        clock: 'event',
      })
      return foldBatch(entries, memory, accounts).events.map(({ event }) => event)
    },
    tiers() {
      const counts: Record<string, number> = Object.fromEntries(tiers.map(({ name }) => [name, 0]))
      for (const { standings } of accounts.values()) counts[tiers[standings[0]!.tier]!.name]!++
      return counts
    },
    pqls() {
      return [...accounts.values()].flatMap(({ id, standings }) =>
        standings[0]!.triggers.flatMap((state, i) =>
          state.status === 'idle'
            ? []
            : [{ motion: triggers[i]!.motion, status: state.status, accountId: id }],
        ),
      )
    },
  }
}
