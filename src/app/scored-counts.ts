import type { StepReport } from '../consumers/scorer/step-report.ts'
import type { ScoringEvent } from '../scoring/events.ts'

/** Counts of scored batches, for metrics. Plain data, so that threads can send it. */
export interface ScoredCounts {
  /** Signals that the score loop took, by outcome. Outcomes that did not occur may be missing. */
  readonly signals: Readonly<Record<string, number>>
  /** Refolded records: committed, missing from the store. */
  readonly refolded: number
  readonly events: readonly EventCount[]
  /** Records that went to dead-letter. */
  readonly deadLetters: readonly DeadLetterCount[]
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

export interface DeadLetterCount {
  readonly topic: string
  readonly reason: string
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
  /** The keys are a topic, then a reason. */
  #deadLetters = new Map<string, Map<string, number>>()

  add(report: StepReport): void {
    if (report.refolded) {
      this.#refolded += report.records
      return
    }
    for (const [outcome, count] of Object.entries(report.outcomes)) increase(this.#signals, outcome, count)
    increase(this.#signals, 'rejected', report.rejected)
    for (const { name, count } of report.limits) increase(this.#limits, name, count)
    for (const { count } of report.unread.names) this.#unread += count
    for (const event of report.events) increaseIn(this.#events, typeOf(event), event.modelId)
    for (const reason of report.reasons) increaseIn(this.#deadLetters, report.topic, reason)
  }

  /** The counts since the last call; undefined if there are none. */
  take(): ScoredCounts | undefined {
    const { size } = this.#signals
    if (size + this.#refolded + this.#events.size + this.#limits.size === 0) return undefined
    const taken: ScoredCounts = {
      signals: Object.fromEntries(this.#signals),
      refolded: this.#refolded,
      events: listed(this.#events).map(([type, model, count]) => ({ type, model, count })),
      deadLetters: listed(this.#deadLetters).map(([topic, reason, count]) => ({ topic, reason, count })),
      limits: Object.fromEntries(this.#limits),
      unread: this.#unread,
    }
    this.#signals = new Map()
    this.#refolded = 0
    this.#events = new Map()
    this.#limits = new Map()
    this.#unread = 0
    this.#deadLetters = new Map()
    return taken
  }
}

function typeOf(event: ScoringEvent): string {
  return event.type === 'pql' ? `pql-${event.status}` : event.type
}

function increaseIn(counts: Map<string, Map<string, number>>, outer: string, inner: string): void {
  const within = counts.get(outer) ?? new Map<string, number>()
  counts.set(outer, within)
  increase(within, inner, 1)
}

function listed(counts: Map<string, Map<string, number>>): [outer: string, inner: string, count: number][] {
  return [...counts].flatMap(([outer, within]) =>
    [...within].map(([inner, count]): [string, string, number] => [outer, inner, count]),
  )
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  if (by > 0) counts.set(key, (counts.get(key) ?? 0) + by)
}
