import type { Signal } from '../signals/signal.ts'
import type { Cause, CauseType } from './outputs.ts'

/** Why something is evaluated. Most evaluations change nothing, so the cause itself is made, and a signal's id read, only where it is kept. */
export interface Occasion {
  readonly type: CauseType
  /** The id of the signal behind it is `signal.id`, or `signalId`. */
  readonly signal?: Pick<Signal, 'id'>
  readonly signalId?: string
}

export function causeOf({ type, signal, signalId }: Occasion): Cause {
  const id = signal === undefined ? signalId : signal.id
  return id === undefined ? { type } : { type, signalId: id }
}
