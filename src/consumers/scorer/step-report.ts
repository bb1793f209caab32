import type { SignalOutcome } from '../../scoring/account.ts'
import type { ScoringEvent } from '../../scoring/events.ts'

/** What one step did, for metrics and for terminals. */
export interface StepReport {
  readonly records: number
  readonly outcomes: Readonly<Record<SignalOutcome, number>>
  readonly rejected: number
  readonly events: readonly ScoringEvent[]
  /** The records were committed before; their events were not published again. */
  readonly refolded: boolean
}
