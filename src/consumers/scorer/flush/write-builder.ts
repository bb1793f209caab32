import type { ModelLibrary } from '../../../models/model-library.ts'
import { encodePartitionMemory } from '../../../models/partition-memory-codec.ts'
import type { Account } from '../../../scoring/account.ts'
import type { ByteWriter } from '../../../scoring/codec/bytes.ts'
import { writeChunks } from '../../../scoring/codec/chunk-codec.ts'
import { encodeAccount } from '../../../scoring/codec/codec.ts'
import { dueBucketOf } from '../../../scoring/due-slices.ts'
import type { FoldResult } from '../../../scoring/fold.ts'
import { indexedDueAt } from '../../../scoring/history.ts'
import type { PartitionMemory } from '../../../scoring/partition-memory.ts'
import { CounterChanges } from '../../../scoring/population/counters.ts'
import { countShares, type RateShare, rateShares } from '../../../scoring/population/rate-cells.ts'
import { prefetchSeries } from '../../../scoring/prefetch.ts'
import type { AccountWrite, PartitionWrite, UserChunkWrite } from '../../../store/store.ts'
import type { AccountCache, Indexes, SavedAccount } from '../account-cache.ts'
import { compareRankEntries, listingsOf, type RankChanges, rankEntriesOf } from './rank-entries.ts'

/** A dirty account, and what its changes mean for the indexes. */
export interface TouchedAccount {
  readonly account: Account
  /** What the store holds until the write; undefined: a new account. */
  readonly before: SavedAccount | undefined
  /** The rates' cells that count it now. */
  readonly shares: readonly RateShare[]
  /** Accounts whose scores changed have them published. */
  readonly changes: RankChanges
}

export interface WriteContext {
  readonly fencingToken: string
  readonly expectedStoredOffset: number
  readonly storedOffset: number
  /** Undefined: unchanged. */
  readonly memory: PartitionMemory | undefined
  readonly library: ModelLibrary
}

/** Compares a dirty account with what the store holds of it. */
export function compareAccount(account: Account, cache: AccountCache): TouchedAccount {
  const before = cache.savedOf(account.id)
  const shares = rateShares(account, cache.ratesOf)
  const changes = compareRankEntries(account.id, before?.rankEntries, account.standings)
  return { account, before, shares, changes }
}

/** What the store's indexes hold about the account as it is now. */
export function indexesOf(account: Account, cache: AccountCache): Indexes {
  return { rankEntries: rankEntriesOf(account.standings), shares: rateShares(account, cache.ratesOf) }
}

/** Collects what the store writes, one account after the other. */
export class WriteBuilder {
  readonly #accounts: AccountWrite[] = []
  readonly #userChunks: UserChunkWrite[] = []
  readonly #counters = new CounterChanges()
  /** Has no meaning; it is kept so that the compiler keeps the reads. */
  prefetched = 0
  readonly #writer: ByteWriter

  constructor(writer: ByteWriter) {
    this.#writer = writer
  }

  /** `next`: the account of the following call; its memory is read ahead. */
  add({ account, before, shares, changes }: TouchedAccount, next: TouchedAccount | undefined): void {
    if (next !== undefined) this.prefetched += prefetchSeries(next.account)
    const dueAt = indexedDueAt(account)
    this.#accounts.push({
      accountId: account.id,
      bytes: encodeAccount(account, this.#writer),
      bucket: dueBucketOf(account.id),
      dueAt: before?.dueAt === dueAt ? undefined : dueAt,
      listingsRemoved: changes.listingsRemoved,
      listingsAdded: changes.listingsAdded,
    })
    writeChunks(account, this.#writer, (chunk, bytes) =>
      this.#userChunks.push({ accountId: account.id, chunk, bytes }),
    )
    countShares(before?.shares ?? [], shares, this.#counters)
  }

  /** `counts`: the counters of the fold. Its books have other names than the rates' books. */
  build(counts: FoldResult['counts'], context: WriteContext): PartitionWrite {
    const { fencingToken, expectedStoredOffset, storedOffset, memory, library } = context
    return {
      fencingToken,
      expectedStoredOffset,
      storedOffset,
      state: memory === undefined ? undefined : encodePartitionMemory(memory, library),
      accounts: this.#accounts,
      userChunks: this.#userChunks,
      counters: [...counts, ...this.#counters.list()],
    }
  }
}

/** The write of accounts that the store does not hold yet and whose bytes are known; without their users. */
export function accountWrites(
  accounts: readonly { readonly account: Account; readonly bytes: Uint8Array }[],
  cache: AccountCache,
): Pick<PartitionWrite, 'accounts' | 'counters'> {
  const counters = new CounterChanges()
  const writes = accounts.map(({ account, bytes }) => {
    const { rankEntries, shares } = indexesOf(account, cache)
    countShares([], shares, counters)
    return {
      accountId: account.id,
      bytes,
      bucket: dueBucketOf(account.id),
      dueAt: indexedDueAt(account),
      listingsRemoved: [],
      listingsAdded: listingsOf(account.id, rankEntries),
    }
  })
  return { accounts: writes, counters: counters.list() }
}
