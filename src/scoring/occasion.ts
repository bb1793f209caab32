import type { Signal } from '../signals/signal.ts'
import type { Cause, CauseType } from './events.ts'

/**
 * Why a standing is evaluated. Most evaluations change nothing, so a `Cause` is made, and a signal's id read,
 * only when it is kept.
 */
export interface Occasion {
  readonly type: CauseType
  /** The signal that caused it is given here, or by id in `signalId`. */
  readonly signal?: Pick<Signal, 'id'>
  readonly signalId?: string
  /**
   * The models changed: the name of the tier that the account was in. The standing's model has no tier of
   * this name.
   */
  readonly goneTier?: string
}

export function causeOf({ type, signal, signalId }: Occasion): Cause {
  const id = signal === undefined ? signalId : signal.id
  return id === undefined ? { type } : { type, signalId: id }
}
