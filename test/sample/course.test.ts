import { expect, test } from 'vitest'
import { levelAt, steady } from '../../src/sample/course.ts'

test.each([
  [-1, 10],
  [0, 10],
  [0.25, 15],
  [0.5, 20],
  [0.75, 10],
  [1, 0],
  [2, 0],
])('at %d the level is %d', (progress, level) => {
  const course = [
    [0, 10],
    [0.5, 20],
    [1, 0],
  ] as const
  expect(levelAt(course, progress)).toBe(level)
})

test('a steady level does not move', () => {
  expect([0, 0.5, 1].map(progress => levelAt(steady(7), progress))).toEqual([7, 7, 7])
})
