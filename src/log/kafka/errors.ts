import { describeError, isUpswellError, UpswellError } from '../../lib/errors.ts'

/** Another producer has the transactional id, or the coordinator holds that this one's transaction is over. */
const FENCED_TYPES: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
])

/** PRODUCER_FENCED, younger than kafkajs' list of names. */
const PRODUCER_FENCED_CODE = 90

/** Anything that talking to Kafka threw, as one of the errors of the log port. `doing` completes "could not …". */
export function asLogError(thrown: unknown, doing: string): UpswellError {
  if (isUpswellError(thrown)) return thrown
  const faults = protocolFaults(thrown)
  const text = `could not ${doing}: ${describeError(thrown)}`
  if (faults.some(({ type, code }) => FENCED_TYPES.has(type) || code === PRODUCER_FENCED_CODE))
    return new UpswellError('LOG_FENCED', text, { cause: thrown })
  return new UpswellError('LOG_UNAVAILABLE', text, { canRetry: true, cause: thrown })
}

export function topicsMissing(topics: readonly string[]): UpswellError {
  const names = topics.join(', ')
  return new UpswellError(
    'TOPIC_MISSING',
    `Kafka has no topic ${names}; create what is missing with \`upswell topics create\``,
  )
}

/** Whether the broker answered with the protocol error of this name. */
export function isProtocolError(thrown: unknown, type: string): boolean {
  return protocolFaults(thrown).some(fault => fault.type === type)
}

/** The protocol errors in what kafkajs threw: it wraps them as causes and collects them in lists. */
function protocolFaults(thrown: unknown): { readonly type: string; readonly code: number }[] {
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
