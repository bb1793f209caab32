import { expect, test } from 'vitest'
import { createContributionMemory } from '../../src/console/contribution-memory.ts'
import { contribution, tierChange } from './sample-events.ts'

test('it knows what was remembered last, per account and model', () => {
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

test('beyond its capacity it forgets the account that was not remembered for the longest', () => {
  const memory = createContributionMemory(2)
  for (const accountId of ['a', 'b', 'a', 'c']) memory.remember(tierChange({ accountId }))
  const known = ['a', 'b', 'c'].filter(accountId => memory.before(tierChange({ accountId })) !== undefined)
  expect(known).toEqual(['a', 'c'])
})
