import { expect, it } from 'vitest'
import { remembered } from '../../src/lib/remembered.ts'

it('finds each answer once, also a false one, and remembers at most 10,000', () => {
  const found: string[] = []
  const answers = remembered(key => {
    found.push(key)
    return key.endsWith('0')
  })
  const keys = Array.from({ length: 10_001 }, (_, i) => `usage:${i}`)
  for (const key of keys) expect(answers(key)).toBe(key.endsWith('0'))
  found.length = 0
  for (const key of keys) expect(answers(key)).toBe(key.endsWith('0'))
  expect(found).toEqual(['usage:10000'])
})
