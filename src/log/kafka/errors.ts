import { isProtocolError, protocolFaults } from '../../kafka-wire/hooks/protocol-errors.ts'
import { describeError, isUpswellError, UpswellError } from '../../lib/errors.ts'

/** Another producer has the transactional id, or the coordinator considers this one's transaction over. */
const FENCED_TYPES: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
])

/** PRODUCER_FENCED, which is newer than kafkajs's list of names. */
const PRODUCER_FENCED_CODE = 90

/** Kafka's answers to a client that may not do something, with what it needs. */
const REFUSALS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'grant it READ, WRITE and DESCRIBE on the topics of the installation',
  GROUP_AUTHORIZATION_FAILED: 'grant it READ and DESCRIBE on the groups of the installation',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    'grant it WRITE and DESCRIBE on the transactional ids upswell-NAMESPACE-*',
  CLUSTER_AUTHORIZATION_FAILED: 'grant it DESCRIBE and IDEMPOTENT_WRITE on the cluster',
  SASL_AUTHENTICATION_FAILED: 'correct its user and password',
}

/** Maps any error from Kafka or kafkajs to an error of the log port. `doing` completes "could not …". */
export function asLogError(thrown: unknown, doing: string): UpswellError {
  if (isUpswellError(thrown)) return thrown
  const faults = protocolFaults(thrown)
  const text = `could not ${doing}: ${describeError(thrown)}`
  if (faults.some(({ type, code }) => FENCED_TYPES.has(type) || code === PRODUCER_FENCED_CODE))
    return new UpswellError('LOG_FENCED', text, { cause: thrown })
  const refusal = faults.find(({ type }) => REFUSALS[type] !== undefined)
  const { advice, needsPerson } =
    refusal === undefined
      ? { advice: '', needsPerson: false }
      : { advice: ` (Kafka refuses this client; ${REFUSALS[refusal.type]})`, needsPerson: true }
  return new UpswellError('LOG_UNAVAILABLE', text + advice, { canRetry: true, needsPerson, cause: thrown })
}

/** A rebalance ends a membership so. It is no outage: the member joins again. */
const MEMBERSHIP_OVER = ['REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const

/** Maps the reason why a group cannot consume to an error of the log port. */
export function asGroupError(thrown: unknown, group: string): UpswellError {
  if (MEMBERSHIP_OVER.some(type => isProtocolError(thrown, type)))
    return new UpswellError('LOG_FENCED', `the membership ended: ${describeError(thrown)}`, { cause: thrown })
  return asLogError(thrown, `consume as ${group}`)
}

export function topicsMissing(topics: readonly string[]): UpswellError {
  const names = topics.join(', ')
  return new UpswellError(
    'TOPIC_MISSING',
    `Kafka has no topic ${names}; create the missing ones with \`upswell topics create\``,
  )
}

/** Maps a failed write of these records to an error of the log port. */
export function writeError(
  thrown: unknown,
  records: readonly { readonly topic: string }[],
  doing: string,
): UpswellError {
  if (isProtocolError(thrown, 'UNKNOWN_TOPIC_OR_PARTITION'))
    return topicsMissing([...new Set(records.map(({ topic }) => topic))])
  // Nothing is lost: what was read is not committed, and is tried again when the clocks agree.
  if (isProtocolError(thrown, 'INVALID_TIMESTAMP'))
    return asLogError(
      thrown,
      `${doing}, because a record's time is further ahead of the broker's clock than the topic accepts (message.timestamp.after.max.ms): check the clocks of this machine and of the brokers`,
    )
  return asLogError(thrown, doing)
}
