import { describe, expect, test } from 'vitest'
import { hash64, hash128Hex, lowBits } from '../../src/lib/hash.ts'

describe('hashes are stored and published, so they never change', () => {
  test.each([
    ['', 0],
    ['acct-1', 0],
    ['ünïcödé ✓', 0],
  ])('the 64-bit hash of %j', text => {
    expect(Buffer.from(new Float64Array([hash64(text)]).buffer).toString('hex')).toMatchSnapshot()
  })

  test('the 128-bit hash of parts', () => {
    expect(hash128Hex('tier-change', 'acct-1', 'model', 1, '')).toMatchSnapshot()
  })
})

describe('hashes', () => {
  test('are finite, distinct and evenly spread over a million ids', () => {
    const seen = new Set<number>()
    const slices = new Array(256).fill(0)
    for (let i = 0; i < 1_000_000; i++) {
      const hash = hash64(`e-${i}`)
      seen.add(hash)
      slices[lowBits(hash) >>> 24]++
    }
    expect(seen.size).toBe(1_000_000)
    expect([...seen].every(Number.isFinite)).toBe(true)
    expect(Math.min(...slices)).toBeGreaterThan(3500)
    expect(Math.max(...slices)).toBeLessThan(4300)
  })

  test('differ when the same characters are split into other parts', () => {
    expect(hash128Hex('ab', 'c')).not.toBe(hash128Hex('a', 'bc'))
    expect(hash128Hex('a', 'b')).toMatch(/^[0-9a-f]{32}$/)
  })
})
