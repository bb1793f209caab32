import { expect, test } from 'vitest'
import { protocolError } from '../../../src/kafka-wire/hooks/protocol-errors.ts'
import { asGroupError, asLogError } from '../../../src/log/kafka/errors.ts'

// Each number is an error code of Kafka's protocol.
test.each([
  [29, /grant it READ, WRITE and DESCRIBE on the topics/],
  [30, /grant it READ and DESCRIBE on the groups/],
  [31, /grant it DESCRIBE and IDEMPOTENT_WRITE on the cluster/],
  [53, /grant it WRITE and DESCRIBE on the transactional ids/],
  [58, /correct its user and password/],
])('the refusal %i of Kafka needs a person, and says what to grant', (code, advice) => {
  for (const error of [
    asLogError(protocolError(code), 'read signals/3'),
    asGroupError(protocolError(code), 'g'),
  ])
    expect(error).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      canRetry: true,
      needsPerson: true,
      message: expect.stringMatching(advice),
    })
})

test('a broker that is away needs nobody', () => {
  expect(asLogError(new Error('connect ECONNREFUSED'), 'read signals/3')).toMatchObject({
    code: 'LOG_UNAVAILABLE',
    needsPerson: false,
    message: 'could not read signals/3: connect ECONNREFUSED',
  })
})

// REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION
test.each([27, 25, 22])('the end %i of a membership in a rebalance is no outage', code => {
  expect(asGroupError(protocolError(code), 'g').code).toBe('LOG_FENCED')
})
