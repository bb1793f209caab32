import { expect, test } from 'vitest'
import { targetTier } from '../../../src/scoring/decisions/tier.ts'
import { model } from '../../support/small-histories.ts'

/** Names → index, and a tier that begins at each of these scores. */
function tiersFrom(warm: number, hot: number, margin: number) {
  const { tiers } = model()
  const [cold] = tiers
  return model({
    tiers: [
      cold!,
      { ...cold!, name: 'warm', title: 'Warm', from: warm },
      { ...cold!, name: 'hot', title: 'Hot', from: hot },
    ],
    tierPolicy: { margin, dwellMs: 0 },
  })
}

// In doubles 1.1 − 0.2 is 0.9000000000000001, 2.3 − 0.3 is 1.9999999999999998, and 0.7 − 0.1 is 0.6.
test.each([
  // warm from, hot from, margin, present tier, score, target tier
  [1.1, 9, 0.2, 1, 0.9, 1],
  [1.1, 9, 0.2, 1, 0.899999, 0],
  [1.1, 2.3, 0.3, 2, 2, 2],
  [1.1, 2.3, 0.3, 2, 1.999999, 1],
  [0.7, 9, 0.1, 1, 0.6, 1],
  [0.7, 9, 0.1, 1, 0.599999, 0],
  [1.1, 9, 0.2, 0, 1.1, 1],
  [1.1, 9, 0.2, 0, 1.099999, 0],
  [5, 9, 0.3, 2, 4.9, 0],
])(
  'with warm from %d, hot from %d and a margin of %d, tier %i at score %d is to be tier %i',
  (warm, hot, margin, present, score, target) => {
    expect(targetTier(tiersFrom(warm, hot, margin), present, score)).toBe(target)
  },
)
