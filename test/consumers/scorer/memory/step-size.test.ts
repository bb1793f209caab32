import { expect, test } from 'vitest'
import { StepSize } from '../../../../src/consumers/scorer/step-size.ts'

const KIB = 1024

test('a step begins at 16 KiB a record, and is never empty', () => {
  expect([new StepSize(160 * KIB).records, new StepSize(1).records]).toEqual([10, 1])
})

test('it becomes as large as what its records needed allows, at most twice as large at a time', () => {
  const size = new StepSize(160 * KIB)
  size.adapt(10, 160 * KIB, 160 * KIB)
  expect(size.records).toBe(10)
  size.adapt(10, 10, 160 * KIB)
  expect(size.records).toBe(20)
  size.adapt(20, 0, 160 * KIB)
  expect(size.records).toBe(40)
})

test('it becomes as small as needed at once', () => {
  const size = new StepSize(160 * KIB)
  size.adapt(10, 1_600 * KIB, 160 * KIB)
  expect(size.records).toBe(1)
  size.adapt(1, 16_000 * KIB, 160 * KIB)
  expect(size.records).toBe(1)
})
