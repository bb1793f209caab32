import { expect, test } from 'vitest'
import { attempt } from '../../src/lib/attempt.ts'

test('an answer, a failure and the lack of an answer are values', async () => {
  expect(await attempt(60_000, async () => 7)).toEqual({ value: 7 })
  expect(
    await attempt(60_000, async () => {
      throw new Error('away')
    }),
  ).toEqual({ reason: 'away' })
  expect(await attempt(1, () => new Promise(() => {}))).toEqual({ reason: 'no answer within 0.001 s' })
})
