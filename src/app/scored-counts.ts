import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { ScoringEvent } from '../scoring/events.ts'

/** Counts of scored batches, for metrics. Plain data, so that threads can send it. */
export interface ScoredCounts {
  /** Signals that the score loop took, by outcome. Outcomes that did not occur may be missing. */
  readonly signals: Readonly<Record<string, number>>
  /** Refolded records: committed, missing from the store. */
  readonly refolded: number
  readonly events: readonly EventCount[]
  /** How often accounts reached each limit. */
  readonly limits: Readonly<Record<string, number>>
  /** New names of accounts that no active model reads. */
  readonly unread: number
}

export interface EventCount {
  readonly type: string
  readonly model: string
  readonly count: number
}

/** Adds up batches until `take` is called. */
export class CountedBatches {
  #signals = new Map<string, number>()
  #refolded = 0
  /** The keys are an event type, then a model id. */
  #events = new Map<string, Map<string, number>>()
  #limits = new Map<string, number>()
  #unread = 0

  add(report: StepReport): void {
    if (report.refolded) {
      this.#refolded += report.records
      return
    }
    for (const [outcome, count] of Object.entries(report.outcomes)) increase(this.#signals, outcome, count)
    increase(this.#signals, 'rejected', report.rejected)
    for (const { name, count } of report.limits) increase(this.#limits, name, count)
    for (const { count } of report.unread.names) this.#unread += count
    for (const event of report.events) {
      const type = typeOf(event)
      const ofType = this.#events.get(type) ?? new Map<string, number>()
      this.#events.set(type, ofType)
      increase(ofType, event.modelId, 1)
    }
  }

  /** The counts since the last call; undefined if there are none. */
  take(): ScoredCounts | undefined {
    const { size } = this.#signals
    if (size + this.#refolded + this.#events.size + this.#limits.size === 0) return undefined
    const taken: ScoredCounts = {
      signals: Object.fromEntries(this.#signals),
      refolded: this.#refolded,
      events: [...this.#events].flatMap(([type, models]) =>
        [...models].map(([model, count]) => ({ type, model, count })),
      ),
      limits: Object.fromEntries(this.#limits),
      unread: this.#unread,
    }
    this.#signals = new Map()
    this.#refolded = 0
    this.#events = new Map()
    this.#limits = new Map()
    this.#unread = 0
    return taken
  }
}

function typeOf(event: ScoringEvent): string {
  return event.type === 'pql' ? `pql-${event.status}` : event.type
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  if (by > 0) counts.set(key, (counts.get(key) ?? 0) + by)
}
