import { DUE_BUCKETS } from '../../scoring/due-slices.ts'
import type { AccountWrite, Listing } from '../store.ts'
import { accountKey, dueKey, listingKey, tierPrefix } from './lmdb-keys.ts'
import type { StoreTables } from './lmdb-tables.ts'

// An account's record:
//   byte 0       its bucket in the due index
//   bytes 1 … 8  its due time there, a double in ms
//   bytes 9 …    the account itself
// The header repeats the account's entry in the due index, so that the entry can be found and moved.
export const ACCOUNT_HEADER_BYTES = 1 + 8
const NOTHING = Buffer.alloc(0)

export interface PreparedAccount {
  readonly accountId: string
  readonly bucket: number
  readonly dueAt: number | undefined
  readonly dueKey: Buffer | undefined
  readonly key: Buffer
  /** `putAccount` fills in the header, once it knows the present entry in the due index. */
  readonly value: Buffer
  readonly listingsRemoved: readonly Buffer[]
  readonly listingsAdded: readonly Buffer[]
}

/** Encodes what can be encoded before the transaction. @throws Error if the bucket does not exist */
export function prepareAccount(partition: number, write: AccountWrite): PreparedAccount {
  const { accountId, bucket, dueAt } = write
  if (!(bucket >= 0 && bucket < DUE_BUCKETS)) throw new Error(`Account ${accountId} has bucket ${bucket}`)
  const value = Buffer.allocUnsafe(ACCOUNT_HEADER_BYTES + write.bytes.length)
  value.set(write.bytes, ACCOUNT_HEADER_BYTES)
  return {
    accountId,
    bucket,
    dueAt,
    dueKey: dueAt === undefined ? undefined : dueKey(partition, bucket, dueAt, accountId),
    key: accountKey(partition, accountId),
    value,
    listingsRemoved: write.listingsRemoved.map(keyOfListing),
    listingsAdded: write.listingsAdded.map(keyOfListing),
  }
}

/** Writes the account, its entry in the due index and its listings. Call it within a transaction. */
export function putAccount(
  { accounts, due, listings }: StoreTables,
  partition: number,
  account: PreparedAccount,
): void {
  const { key, value, accountId, bucket } = account
  const before = decodeHeader(accounts.getBinaryFast(key))
  const dueAt = account.dueAt ?? before?.dueAt ?? Number.POSITIVE_INFINITY
  if (before?.dueAt !== dueAt || before.bucket !== bucket) {
    if (before !== undefined) due.remove(dueKey(partition, before.bucket, before.dueAt, accountId))
    due.put(account.dueKey ?? dueKey(partition, bucket, dueAt, accountId), NOTHING)
  }
  encodeHeader(value, bucket, dueAt)
  accounts.put(key, value)
  for (const listing of account.listingsRemoved) listings.remove(listing)
  for (const listing of account.listingsAdded) listings.put(listing, NOTHING)
}

function keyOfListing({ list, tier, score, accountId }: Listing): Buffer {
  return listingKey(tierPrefix(list, tier), score, accountId)
}

function encodeHeader(record: Buffer, bucket: number, dueAt: number): void {
  record.writeUInt8(bucket, 0)
  record.writeDoubleBE(dueAt, 1)
}

function decodeHeader(
  record: Buffer | undefined,
): { readonly bucket: number; readonly dueAt: number } | undefined {
  return record && { bucket: record.readUInt8(0), dueAt: record.readDoubleBE(1) }
}
