import type { CounterChange } from '../../../src/scoring/population/counters.ts'
import type { AccountWrite, Listing, PartitionWrite, UserChunkWrite } from '../../../src/store/store.ts'

/**
 * Half of a partition's writes, as one write to the emptied partition: the rest after an interrupted removal.
 * Keeps every second account, the listings of every second one of these, and every second user chunk and
 * counter of any account.
 */
export function halfOf(writes: readonly PartitionWrite[], fencingToken: string): PartitionWrite {
  const accounts = new Map<string, AccountWrite>()
  const chunks = new Map<string, UserChunkWrite>()
  const counters = new Map<string, CounterChange>()
  for (const write of writes) {
    for (const account of write.accounts)
      accounts.set(account.accountId, joined(accounts.get(account.accountId), account))
    for (const chunk of write.userChunks) {
      const key = `${chunk.accountId} ${chunk.chunk}`
      if (chunk.bytes === undefined) chunks.delete(key)
      else chunks.set(key, chunk)
    }
    for (const change of write.counters) {
      const key = `${change.book} ${change.field}`
      counters.set(key, { ...change, delta: (counters.get(key)?.delta ?? 0) + change.delta })
    }
  }
  return {
    fencingToken,
    expectedStoredOffset: 0,
    storedOffset: 0,
    state: undefined,
    accounts: everySecond(accounts).map((account, i) =>
      i % 2 === 0 ? account : { ...account, listingsAdded: [] },
    ),
    userChunks: everySecond(chunks),
    counters: everySecond(counters).filter(({ delta }) => delta !== 0),
  }
}

function joined(before: AccountWrite | undefined, now: AccountWrite): AccountWrite {
  const kept = (before?.listingsAdded ?? []).filter(
    listing => !now.listingsRemoved.some(removed => textOf(removed) === textOf(listing)),
  )
  return {
    ...now,
    dueAt: now.dueAt ?? before?.dueAt ?? Number.POSITIVE_INFINITY,
    listingsRemoved: [],
    listingsAdded: [...kept, ...now.listingsAdded],
  }
}

function textOf({ list, tier, score, accountId }: Listing): string {
  return JSON.stringify([list, tier, score, accountId])
}

function everySecond<T>(items: ReadonlyMap<string, T>): T[] {
  return [...items.values()].filter((_, i) => i % 2 === 1)
}
