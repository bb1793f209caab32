import { internal } from './internals.ts'

/** An error that a broker answered, as kafkajs made it. */
export interface ProtocolFault {
  /** The protocol's name of the error, such as `NOT_LEADER_FOR_PARTITION`. */
  readonly type: string
  readonly code: number
}

/** The error that kafkajs makes of an error code; its `type` is the protocol's name. */
export function protocolError(code: number): Error {
  const errors = internal<{ createErrorFromCode(code: number): Error }>('protocol/error.js')
  return errors.createErrorFromCode(code)
}

/** Whether the broker answered with the protocol error of this name. */
export function isProtocolError(thrown: unknown, type: string): boolean {
  return protocolFaults(thrown).some(fault => fault.type === type)
}

/** The protocol errors in what kafkajs threw: it wraps them as causes and collects them in lists. */
export function protocolFaults(thrown: unknown): ProtocolFault[] {
  if (!(thrown instanceof Error)) return []
  const { type, code, cause, errors } = thrown as {
    type?: unknown
    code?: unknown
    cause?: unknown
    errors?: unknown
  }
  const own = typeof type === 'string' ? [{ type, code: Number(code) }] : []
  const nested = [cause === thrown ? undefined : cause, ...(Array.isArray(errors) ? errors : [])]
  return [...own, ...nested.flatMap(protocolFaults)]
}
