import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/lib/nearest-name.ts'

describe('the nearest name', () => {
  const names = ['title', 'missing', 'line', 'of', 'when', 'seatUtilization']
  it.each([
    ['titel', 'title'],
    ['tittle', 'title'],
    ['Title', 'title'],
    ['mising', 'missing'],
    ['lines', 'line'],
    ['seatUtilisation', 'seatUtilization'],
    ['seatutilization', 'seatUtilization'],
    ['fo', 'of'],
    ['on', 'of'],
    ['lemon', undefined],
    ['utilization', 'seatUtilization'],
    ['', undefined],
  ])('of %s is %s', (typed, nearest) => {
    expect(nearestName(typed, names)).toBe(nearest)
  })

  it('is the first of several equally near names', () => {
    expect(nearestName('seat', ['seats', 'seal'])).toBe('seats')
  })

  it('takes no time for a name of 100,000 letters', () => {
    expect(nearestName('x'.repeat(100_000), names)).toBe(undefined)
  })
})
