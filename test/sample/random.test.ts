import { expect, test } from 'vitest'
import { createRandom } from '../../src/sample/random.ts'

test('the same key gives the same numbers; another key gives others', () => {
  const draw = (...key: (string | number)[]): number[] => {
    const random = createRandom(...key)
    return Array.from({ length: 20 }, () => random.next())
  }
  expect(draw(7, 'a')).toEqual(draw(7, 'a'))
  expect(draw(7, 'a')).not.toEqual(draw(8, 'a'))
  expect(draw(7, 'a')).not.toEqual(draw(7, 'b'))
})

test('numbers are spread evenly and stay in their range', () => {
  const random = createRandom('spread')
  const tens = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 10_000; i++) tens[Math.floor(random.next() * 10)]!++
  for (const count of tens) expect(Math.abs(count - 1000)).toBeLessThan(150)
  const integers = new Set(Array.from({ length: 200 }, () => random.integer(3, 5)))
  expect([...integers].sort()).toEqual([3, 4, 5])
})

test('shuffling keeps every item', () => {
  const items = Array.from({ length: 50 }, (_, i) => i)
  const shuffled = createRandom('shuffle').shuffled(items)
  expect(shuffled).not.toEqual(items)
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items)
})
