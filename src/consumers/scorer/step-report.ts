import type { SignalOutcome } from '../../scoring/account.ts'
import type { ScoringEvent } from '../../scoring/events.ts'
import type { Occurrence } from '../../scoring/occurrences.ts'
import type { RejectionCode } from '../../signals/rejection.ts'

/** New names of accounts that no active model reads. */
export interface UnreadBegun {
  /** In how many accounts each is new. */
  readonly names: readonly Occurrence[]
  /** The name that some model reads and that a misspelt name most likely means. Slow: ask for few. */
  readonly nearest: (name: string) => string | undefined
}

/** What one step did, for metrics and for terminals. */
export interface StepReport {
  readonly topic: string
  readonly records: number
  readonly outcomes: Readonly<Record<SignalOutcome, number>>
  readonly rejected: number
  /** Why each rejected record went to dead-letter. */
  readonly reasons: readonly RejectionCode[]
  readonly events: readonly ScoringEvent[]
  /** The limits that accounts reached, by `LimitName`. */
  readonly limits: readonly Occurrence[]
  readonly unread: UnreadBegun
  /** The records were committed before; their events were not published again. */
  readonly refolded: boolean
}
