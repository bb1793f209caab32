import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  compareRankEntries,
  listingsOf,
  rankEntriesOf,
} from '../../../src/consumers/scorer/flush/rank-entries.ts'
import { compileModel } from '../../../src/scoring/definition/compile-model.ts'
import type { CompiledModel } from '../../../src/scoring/definition/compiled-model.ts'
import type { Cause } from '../../../src/scoring/events.ts'
import { createStanding, type Standing } from '../../../src/scoring/standing.ts'
import type { Listing } from '../../../src/store/store.ts'
import { listName } from '../../../src/store/store.ts'
import { model } from '../../support/small-histories.ts'

const compiled = fc
  .record({
    id: fc.constantFrom('expansion', 'usage'),
    version: fc.constantFrom(1, 2),
    tiers: fc.constantFrom(['low', 'high'], ['low', 'middle', 'high']),
    facets: fc.constantFrom([], ['plan'], ['plan', 'region']),
  })
  .map(({ id, version, tiers, facets }) =>
    compileModel(
      model({
        id,
        version,
        tiers: tiers.map((name, from) => ({ name, title: name, from, action: '', queue: undefined })),
        facets: facets.map(name => ({ name, key: `traits.${name}` })),
      }),
    ),
  )
const MODELS = fc.sample(compiled, { numRuns: 6, seed: 7 })

function standingOf(of: CompiledModel, change: Partial<Standing>): Standing {
  return { ...createStanding(of, 0, { type: 'model' }), ...change }
}

const standing = fc
  .record({
    of: fc.constantFrom(...MODELS),
    tier: fc.constantFrom(0, 1),
    score: fc.constantFrom(0, 50, 50.5),
    values: fc.array(fc.constantFrom(undefined, 'a', 'b'), { minLength: 2, maxLength: 2 }),
    shown: fc.record(
      {
        tierSince: fc.constantFrom(0, 1),
        coverage: fc.constantFrom(0, 0.5),
        changedAt: fc.constantFrom(0, 1),
        cause: fc.constantFrom<Cause>({ type: 'window' }, { type: 'signal', signalId: 's' }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ of, tier, score, values, shown }) =>
    standingOf(of, { tier, score, facets: of.definition.facets.map((_, i) => values[i]), ...shown }),
  )
/** One standing for each model, by ascending id. */
const standings = fc
  .uniqueArray(standing, { maxLength: 2, selector: ({ model }) => model.definition.id })
  .map(all => all.sort((a, b) => (a.model.definition.id < b.model.definition.id ? -1 : 1)))

it('finds the difference between all listings before and after', () => {
  fc.assert(
    fc.property(fc.option(standings, { nil: undefined }), standings, (before, after) => {
      const known = before === undefined ? undefined : rankEntriesOf(before)
      const changes = compareRankEntries('acme', known, after)
      const [old, now] = [slowListings(before ?? []), slowListings(after)]
      expect(changes.listingsRemoved).toEqual(without(old, now))
      expect(changes.listingsAdded).toEqual(without(now, old))
      expect(listingsOf('acme', changes.rankEntries)).toEqual(now)
      expect(changes.areScoresChanged).toBe(before === undefined || slowScores(before) !== slowScores(after))
    }),
    { numRuns: 2000 },
  )
})

it('keeps the existing rank entries if nothing changed', () => {
  fc.assert(
    fc.property(standings, same => {
      const known = rankEntriesOf(same)
      const changes = compareRankEntries('acme', known, same)
      expect(changes.rankEntries).toBe(known)
      expect(changes.areScoresChanged).toBe(false)
    }),
  )
})

it('keeps the values of facets as they were, whatever happens to the account', () => {
  const values: (string | undefined)[] = ['a']
  const of = MODELS.find(({ definition }) => definition.facets.length === 1)!
  const one = standingOf(of, { score: 1, facets: values })
  const known = rankEntriesOf([one])
  values[0] = 'b'
  const { listingsRemoved, listingsAdded, areScoresChanged } = compareRankEntries('acme', known, [one])
  const list = (value: string) => listName(of.definition.id, { name: of.definition.facets[0]!.name, value })
  expect(listingsRemoved.map(listing => listing.list)).toEqual([list('a')])
  expect(listingsAdded.map(listing => listing.list)).toEqual([list('b')])
  expect(areScoresChanged).toBe(false)
})

function slowListings(of: readonly Standing[]): Listing[] {
  return of.flatMap(({ model, score, tier, facets }) => {
    const { id, tiers, facets: definitions } = model.definition
    const lists = [listName(id)]
    for (const [i, value] of facets.entries())
      if (value !== undefined) lists.push(listName(id, { name: definitions[i]!.name, value }))
    return lists.map(list => ({ list, tier: tiers[tier]!.name, score, accountId: 'acme' }))
  })
}

function without(listings: readonly Listing[], others: readonly Listing[]): Listing[] {
  const text = ({ list, tier, score }: Listing) => JSON.stringify([list, tier, score])
  const known = new Set(others.map(text))
  return listings.filter(listing => !known.has(text(listing)))
}

function slowScores(of: readonly Standing[]): string {
  return JSON.stringify(
    of.map(({ model: { definition: by }, score, tier, tierSince, coverage, changedAt, cause }) => [
      [by.id, by.version, score, by.tiers[tier]!.name],
      [tierSince, coverage, changedAt, cause.type, cause.signalId],
    ]),
  )
}
