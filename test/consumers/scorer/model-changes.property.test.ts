import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AccountCache } from '../../../src/consumers/scorer/account-cache.ts'
import { accountWrites } from '../../../src/consumers/scorer/flush/write-builder.ts'
import { decodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { decodeAccount } from '../../../src/scoring/codec/codec.ts'
import { isKpiBook } from '../../../src/scoring/population/kpi-counts.ts'
import type { Listing } from '../../../src/store/store.ts'
import { arbitraryModelChanges } from '../../support/arbitrary/arbitrary-model-changes.ts'
import { arbitrarySplit } from '../../support/histories.ts'
import { type Mishap, PopulationRun } from '../../support/population-run.ts'

const PARTITIONS = 2
const RUNS = 100
const ALL_BUCKETS = Array.from({ length: 256 }, (_, bucket) => bucket)
const arbitraryMishaps = fc.array(fc.constantFrom<Mishap>('none', 'none', 'none', 'restart', 'crash'), {
  minLength: 9,
  maxLength: 9,
})

/** The ranked lists and the counters of rates that belong to the accounts in the store, made from scratch. */
async function indexesFromScratch({ store, library }: PopulationRun) {
  const listings: Listing[] = []
  const counters = new Map<string, number>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const ids = await store.due(partition, ALL_BUCKETS, Number.POSITIVE_INFINITY)
    const { modelSets } = decodePartitionMemory((await store.readPartition(partition)).state, library)
    const bytes = await store.load(partition, ids)
    const accounts = ids.map((id, i) => ({
      account: decodeAccount(id, bytes[i]!, modelSets),
      bytes: bytes[i]!,
    }))
    const written = accountWrites(accounts, new AccountCache())
    listings.push(...written.accounts.flatMap(({ listingsAdded }) => listingsAdded))
    for (const { book, field, delta } of written.counters)
      counters.set(`${book} ${field}`, (counters.get(`${book} ${field}`) ?? 0) + delta)
  }
  return { listings: sorted(listings), counters: plain(counters) }
}

async function storedIndexes({ store }: PopulationRun) {
  const counters = new Map<string, number>()
  for (let partition = 0; partition < PARTITIONS; partition++)
    for (const { book, field, delta } of await store.readPartitionCounters(partition))
      if (!isKpiBook(book)) counters.set(`${book} ${field}`, (counters.get(`${book} ${field}`) ?? 0) + delta)
  return { listings: sorted(store.listings()), counters: plain(counters) }
}

function sorted(listings: readonly Listing[]): string[] {
  return listings.map(({ list, tier, score, accountId }) => `${list} ${tier} ${score} ${accountId}`).sort()
}

function plain(counters: ReadonlyMap<string, number>): [string, number][] {
  return [...counters].filter(([, count]) => count !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
}

test('however the models change, ranked lists and rates are as if made from the accounts', async () => {
  let listed = 0
  let counted = 0
  await fc.assert(
    fc.asyncProperty(
      arbitraryModelChanges({ accounts: 5, length: 60 }).chain(history => arbitrarySplit(history)),
      arbitraryMishaps,
      async (batches, mishaps) => {
        const run = new PopulationRun(PARTITIONS)
        for (const [i, batch] of batches.entries()) {
          await run.score(batch, mishaps[i]!)
          const stored = await storedIndexes(run)
          expect(stored).toEqual(await indexesFromScratch(run))
          listed += stored.listings.length
          counted += stored.counters.length
        }
        expect(run.rejected).toBe(0)
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
  expect(listed).toBeGreaterThan(RUNS)
  expect(counted).toBeGreaterThan(RUNS)
}, 120_000)
