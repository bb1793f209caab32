import type { Contribution, TierChange } from '../scoring/outputs.ts'

/**
 * What the rules added when an account last changed its tier, so that its next change can be told by what moved since. Keeps the
 * latest accounts only.
 */
export interface ContributionMemory {
  /** What is known from before this event. Undefined: nothing. */
  before(event: TierChange): readonly Contribution[] | undefined
  /** To be called once an event has been printed; or with what a standing holds, before the first. */
  remember(at: ContributionsOf): void
}

export type ContributionsOf = Pick<TierChange, 'accountId' | 'modelId' | 'contributions'>

export function createContributionMemory(capacity = 10_000): ContributionMemory {
  const known = new Map<string, readonly Contribution[]>()
  const keyOf = ({ accountId, modelId }: Omit<ContributionsOf, 'contributions'>): string =>
    `${modelId}\u0000${accountId}`
  return {
    before: event => known.get(keyOf(event)),
    remember(at) {
      const key = keyOf(at)
      // A Map keeps the order of insertion: the first key is the one that was not remembered for the longest.
      known.delete(key)
      known.set(key, at.contributions)
      if (known.size > capacity) known.delete(known.keys().next().value!)
    },
  }
}
