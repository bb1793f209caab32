import type { Listing, UserChunkKey } from '../store.ts'

/**
 * The names of the keys. A partition's keys have its number in braces, the part that Redis Cluster hashes, so
 * one script may touch them all. No two things share a name: a part that may hold a colon is last, or follows
 * its length, or is escaped.
 */
export interface RedisKeys {
  /** The number of partitions that the state was made with. */
  readonly partitions: string
  /** The set of the partitions that were ever fenced. */
  readonly owned: string
  /** All keys of the namespace begin with this, and no others: a namespace holds no colon. */
  readonly prefix: string
  /** All keys of a partition begin with this. */
  partitionPrefix(partition: number): string
  /** The partition's hash: `owner` (the fencing token), `watermark` (the position), `whole`, `state`. */
  partition(partition: number): string
  account(partition: number, accountId: string): string
  userChunk(partition: number, key: UserChunkKey): string
  due(partition: number, bucket: number): string
  listings(partition: number, list: string, tier: string): string
  counters(partition: number, book: string): string
  /** The set of the partition's books that hold counters. */
  books(partition: number): string
}

/** @param namespace letters, digits and `. _ -`; a replay's is `NAMESPACE/NAME` */
export function redisKeys(namespace: string): RedisKeys {
  if (namespace.includes(':')) throw new Error(`A namespace may not hold a colon: "${namespace}"`)
  const root = `upswell:${namespace}`
  const of = (partition: number) => `${root}:{${partition}}`
  return {
    partitions: `${root}:partitions`,
    owned: `${root}:owned`,
    prefix: `${root}:`,
    partitionPrefix: partition => `${of(partition)}:`,
    partition: partition => `${of(partition)}:partition`,
    account: (partition, accountId) => `${of(partition)}:account:${accountId}`,
    userChunk: (partition, { accountId, chunk }) =>
      `${of(partition)}:users:${chunk.length}:${chunk}:${accountId}`,
    due: (partition, bucket) => `${of(partition)}:due:${bucket}`,
    listings: (partition, list, tier) =>
      `${of(partition)}:list:${encodeURIComponent(list)}:${encodeURIComponent(tier)}`,
    counters: (partition, book) => `${of(partition)}:count:${book}`,
    books: partition => `${of(partition)}:books`,
  }
}

const SCORE_LENGTH = 16

/**
 * A listing as a member of a sorted set whose scores are all 0. Redis orders such members by their bytes: by
 * the score, written so that bytes sort as numbers do, then by the bytes of the id.
 */
export function listingMember({ score, accountId }: Pick<Listing, 'score' | 'accountId'>): string {
  return sortableScore(score) + accountId
}

/** The member's score and account; the key of the set holds the list and the tier. */
export function parseListingMember(member: Buffer): Pick<Listing, 'score' | 'accountId'> {
  const bits = Buffer.from(member.toString('latin1', 0, SCORE_LENGTH), 'hex')
  // Undoes sortableScore.
  if (bits[0]! >= 0x80) bits[0]! ^= 0x80
  else for (let i = 0; i < bits.length; i++) bits[i]! ^= 0xff
  return { score: bits.readDoubleBE(), accountId: member.toString('utf8', SCORE_LENGTH) }
}

/**
 * The score as 16 hexadecimal digits that sort as scores do. The bits of an IEEE 754 double sort as whole
 * numbers once positive numbers have the highest bit set and negative numbers are inverted.
 */
export function sortableScore(score: number): string {
  writeSortableScore(scratch, score)
  return scratch.toString('latin1')
}

/** Writes `sortableScore` into the first 16 bytes of `digits`. */
export function writeSortableScore(digits: Uint8Array, score: number): void {
  // Turns −0 into 0.
  double.setFloat64(0, score + 0)
  const isNegative = double.getUint8(0) >= 0x80
  for (let i = 0; i < 8; i++) {
    const byte = double.getUint8(i) ^ (isNegative ? 0xff : i === 0 ? 0x80 : 0)
    digits[2 * i] = DIGITS.charCodeAt(byte >>> 4)
    digits[2 * i + 1] = DIGITS.charCodeAt(byte & 15)
  }
}

const DIGITS = '0123456789abcdef'
const double = new DataView(new ArrayBuffer(8))
const scratch = Buffer.alloc(SCORE_LENGTH)
