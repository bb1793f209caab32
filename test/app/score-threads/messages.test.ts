import { expect, test } from 'vitest'
import { fromPlainError, toPlainError } from '../../../src/app/score-threads/messages.ts'
import { isUpswellError, UpswellError } from '../../../src/lib/errors.ts'

const sent = (thrown: unknown): Error => fromPlainError(structuredClone(toPlainError(thrown)))

test.each([true, false])('an UpswellError keeps its code and canRetry: %s', canRetry => {
  const error = sent(new UpswellError('TOPIC_MISSING', 'there is no topic x', { canRetry }))
  expect(isUpswellError(error, 'TOPIC_MISSING')).toBe(true)
  expect(error).toMatchObject({ message: 'there is no topic x', canRetry })
})

test('a bug keeps its stack', () => {
  const bug = new TypeError('x is not a function')
  const error = sent(bug)
  expect(isUpswellError(error)).toBe(false)
  expect(error).toMatchObject({ message: bug.message, stack: bug.stack })
})

test('a thrown value that is not an error becomes text', () => {
  expect(sent('gone')).toMatchObject({ message: 'gone' })
})
