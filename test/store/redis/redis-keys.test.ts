import fc from 'fast-check'
import { expect, it } from 'vitest'
import { listingMember, parseListingMember, sortableScore } from '../../../src/store/redis/redis-keys.ts'

const score = fc.double({ noNaN: true })

it('writes scores as texts that sort as the scores do', () => {
  fc.assert(
    fc.property(score, score, (a, b) => {
      const [textA, textB] = [sortableScore(a), sortableScore(b)]
      expect(Math.sign(Buffer.compare(Buffer.from(textA), Buffer.from(textB)))).toBe(
        a < b ? -1 : a > b ? 1 : 0,
      )
    }),
  )
})

it('reads back the listing that it wrote', () => {
  fc.assert(
    fc.property(score, fc.string({ unit: 'grapheme' }), (given, accountId) => {
      const member = Buffer.from(listingMember({ score: given, accountId }))
      expect(parseListingMember(member)).toEqual({ score: given + 0, accountId })
    }),
  )
})
