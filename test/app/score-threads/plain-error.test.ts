import { expect, test } from 'vitest'
import { fromPlainError, toPlainError } from '../../../src/app/score-threads/plain-error.ts'
import { isUpswellError, UpswellError } from '../../../src/lib/errors.ts'

const sent = (thrown: unknown): Error => fromPlainError(structuredClone(toPlainError(thrown)))

test.each([true, false])(
  'an error of ours keeps its code, and whether it can be tried again: %s',
  canRetry => {
    const error = sent(new UpswellError('TOPIC_MISSING', 'there is no topic x', { canRetry }))
    expect(isUpswellError(error, 'TOPIC_MISSING')).toBe(true)
    expect(error).toMatchObject({ message: 'there is no topic x', canRetry })
  },
)

test('a bug keeps where it was', () => {
  const bug = new TypeError('x is not a function')
  const error = sent(bug)
  expect(isUpswellError(error)).toBe(false)
  expect(error).toMatchObject({ message: bug.message, stack: bug.stack })
})

test('what is no error at all is told as a text', () => {
  expect(sent('gone')).toMatchObject({ message: 'gone' })
})
