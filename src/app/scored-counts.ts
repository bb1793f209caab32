import type { BatchReport } from '../consumers/scorer/batch-report.ts'
import type { ScoringEvent } from '../scoring/outputs.ts'

/** What batches did, as the numbers that metrics are made of. Plain data: threads send them. */
export interface ScoredCounts {
  /** Signals that the score loop took, by what became of them. Those that did not occur may be left out. */
  readonly signals: Readonly<Record<string, number>>
  /** Records folded again: already committed, their outputs not sent again. */
  readonly refolded: number
  readonly events: readonly EventCount[]
}

export interface EventCount {
  readonly type: string
  readonly model: string
  readonly count: number
}

/** Sums up batches until they are taken. */
export class CountedBatches {
  #signals = new Map<string, number>()
  #refolded = 0
  /** By type, then model. */
  #events = new Map<string, Map<string, number>>()

  add(batch: BatchReport): void {
    if (batch.refolded) {
      this.#refolded += batch.records
      return
    }
    for (const [outcome, count] of Object.entries(batch.outcomes)) increase(this.#signals, outcome, count)
    increase(this.#signals, 'rejected', batch.rejected)
    for (const event of batch.events) {
      const type = typeOf(event)
      const ofType = this.#events.get(type) ?? new Map<string, number>()
      this.#events.set(type, ofType)
      increase(ofType, event.modelId, 1)
    }
  }

  /** All since the last time; undefined if there is nothing. */
  take(): ScoredCounts | undefined {
    if (this.#signals.size === 0 && this.#refolded === 0 && this.#events.size === 0) return undefined
    const taken: ScoredCounts = {
      signals: Object.fromEntries(this.#signals),
      refolded: this.#refolded,
      events: [...this.#events].flatMap(([type, models]) =>
        [...models].map(([model, count]) => ({ type, model, count })),
      ),
    }
    this.#signals = new Map()
    this.#refolded = 0
    this.#events = new Map()
    return taken
  }
}

function typeOf(event: ScoringEvent): string {
  return event.type === 'pql' ? `pql-${event.status}` : event.type
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  if (by > 0) counts.set(key, (counts.get(key) ?? 0) + by)
}
