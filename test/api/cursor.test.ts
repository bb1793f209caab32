import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor, type ListedQuery } from '../../src/api/read/cursor.ts'

const query: ListedQuery = {
  modelId: 'growth',
  tiers: ['hot', 'warm'],
  facets: ['plan:free'],
  minScore: undefined,
  sort: '-score',
}

describe('a cursor', () => {
  it('gives back the same position for any score and account', () => {
    const score = fc.oneof(
      fc.constantFrom(0, 0.1, 99.999999, -20.5),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const accountId = fc.string({ unit: 'grapheme', minLength: 1 })
    fc.assert(
      fc.property(score, accountId, (score, accountId) => {
        const place = { score: score + 0, accountId }
        expect(decodeCursor(encodeCursor(place, query), query)).toEqual(place)
      }),
    )
  })

  it('does not depend on the order of the tiers', () => {
    const cursor = encodeCursor({ score: 1, accountId: 'a' }, query)
    expect(decodeCursor(cursor, { ...query, tiers: ['warm', 'hot'] })).toEqual({ score: 1, accountId: 'a' })
  })

  it('is not read from any other text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(decodeCursor(text, query)).toBeUndefined()
      }),
    )
    const forged = (...parts: unknown[]) => {
      const [fingerprint] = JSON.parse(
        Buffer.from(encodeCursor({ score: 1, accountId: 'a' }, query), 'base64url').toString(),
      ) as [string]
      return Buffer.from(JSON.stringify([fingerprint, ...parts])).toString('base64url')
    }
    expect(decodeCursor(forged(1, 'a'), query)).toEqual({ score: 1, accountId: 'a' })
    for (const parts of [['1', 'a'], [1, ''], [1, 7], [null, 'a'], [1], [1, 'a', 2], [1, '\ud800']])
      expect(decodeCursor(forged(...parts), query)).toBeUndefined()
  })
})
