import { expect, test } from 'vitest'
import { createContributionMemory } from '../../src/console/describe-change.ts'
import { contribution, tierChange } from './sample-events.ts'

test('returns the contributions that were remembered last, per account and model', () => {
  const memory = createContributionMemory()
  const first = [contribution('usage', 'plan', 1, 4)]
  const second = [contribution('usage', 'plan', 2, 8)]
  expect(memory.before(tierChange())).toBeUndefined()
  memory.remember(tierChange({ contributions: first }))
  memory.remember(tierChange({ contributions: second }))
  expect(memory.before(tierChange())).toBe(second)
  expect(memory.before(tierChange({ accountId: 'other' }))).toBeUndefined()
  expect(memory.before(tierChange({ modelId: 'other' }))).toBeUndefined()
})

test('beyond its capacity, forgets the account that was remembered the longest ago', () => {
  const memory = createContributionMemory(2)
  for (const accountId of ['a', 'b', 'a', 'c']) memory.remember(tierChange({ accountId }))
  const known = ['a', 'b', 'c'].filter(accountId => memory.before(tierChange({ accountId })) !== undefined)
  expect(known).toEqual(['a', 'c'])
})
