// Keys of the store's tables. Their bytes sort as their parts do, one after the other: numbers are written in
// a form that sorts byte by byte; text is last, or follows its length.
//
//   partitions   partition; beside it: partition, 'whole'
//   accounts     partition, account
//   user-chunks  partition, length and account, chunk
//   due          partition, bucket, due time, account
//   listings     length and list, length and tier, score, account
//   counters     length and book, partition, field

/** LMDB's limit with pages of 4 KiB. A longer key must be refused before a transaction begins. */
const MAX_KEY_BYTES = 1978
const NUMBER_BYTES = 8
const DUE_PREFIX_BYTES = 4 + 1 + NUMBER_BYTES

export function partitionKey(partition: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(partition, 0)
  return key
}

/** The key, in the same table, of the offset from which the partition is whole. */
export function wholeFromKey(partition: number): Buffer {
  return Buffer.concat([partitionKey(partition), Buffer.from('whole')])
}

/** The key of the account's record. A partition's accounts are one range. */
export function accountKey(partition: number, accountId: string): Buffer {
  const key = keyFor(4, accountId)
  key.writeUInt32BE(partition, 0)
  return key
}

/**
 * The key that the listing's account has if it belongs to this partition.
 * @param listing a key made by `listingKey`
 */
export function accountKeyOfListing(partition: number, listing: Buffer): Buffer {
  const tierAt = 2 + listing.readUInt16BE(0)
  const scoreAt = tierAt + 2 + listing.readUInt16BE(tierAt)
  return Buffer.concat([partitionKey(partition), listing.subarray(scoreAt + NUMBER_BYTES)])
}

/** The key of a chunk of an account's users. The length keeps `('a', 'bc')` and `('ab', 'c')` apart. */
export function userChunkKey(partition: number, accountId: string, chunk: string): Buffer {
  const textAt = 4 + lengthAndTextBytes(accountId)
  const key = keyFor(textAt, chunk)
  key.writeUInt32BE(partition, 0)
  writeLengthAndText(key, accountId, 4)
  return key
}

/** An account's key in the due index: within a bucket by due time (ms), then by the bytes of the id. */
export function dueKey(partition: number, bucket: number, dueAt: number, accountId: string): Buffer {
  const key = keyFor(DUE_PREFIX_BYTES, accountId)
  writeDuePrefix(key, partition, bucket, dueAt)
  return key
}

/** Bounds of the keys of one bucket with `from ≤ dueAt ≤ upTo`, the end excluded. */
export function dueRange(
  partition: number,
  bucket: number,
  from: number,
  upTo: number,
): { start: Buffer; end: Buffer } {
  const start = Buffer.allocUnsafe(DUE_PREFIX_BYTES)
  writeDuePrefix(start, partition, bucket, from)
  const last = Buffer.allocUnsafe(DUE_PREFIX_BYTES)
  writeDuePrefix(last, partition, bucket, upTo)
  return { start, end: afterEvery(last) }
}

/** The bytes of the account id in a key that `dueKey` made. */
export function dueAccountId(key: Buffer): Buffer {
  return key.subarray(DUE_PREFIX_BYTES)
}

/** The prefix of all listings of one tier of one list. */
export function tierPrefix(list: string, tier: string): Buffer {
  const tierAt = lengthAndTextBytes(list)
  const prefix = Buffer.allocUnsafe(tierAt + lengthAndTextBytes(tier))
  writeLengthAndText(prefix, list, 0)
  writeLengthAndText(prefix, tier, tierAt)
  return prefix
}

/** A listing's key: within a tier by score, then by the bytes of the id. */
export function listingKey(prefix: Buffer, score: number, accountId: string): Buffer {
  const key = keyFor(prefix.length + NUMBER_BYTES, accountId)
  key.set(prefix, 0)
  writeSortable(key, score, prefix.length)
  return key
}

/** The start of the tier's listings with this score or a higher one. */
export function listingsFrom(prefix: Buffer, score: number): Buffer {
  return listingKey(prefix, score, '')
}

/**
 * Sorts after every key that begins with `prefix`: no text, sortable number or partition begins with 0xff
 * 0xff.
 */
export function afterEvery(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.from([0xff, 0xff])])
}

/** Reads a key made by `listingKey`. `rank`, the part after the prefix, sorts as listings do. */
export function parseListing(
  key: Buffer,
  prefix: Buffer,
): { readonly rank: Buffer; readonly score: number; readonly accountId: string } {
  const rank = key.subarray(prefix.length)
  return { rank, score: readSortable(rank), accountId: rank.toString('utf8', NUMBER_BYTES) }
}

/** The prefix of all counters of a book. */
export function counterPrefix(book: string): Buffer {
  const prefix = Buffer.allocUnsafe(lengthAndTextBytes(book))
  writeLengthAndText(prefix, book, 0)
  return prefix
}

export function counterKey(prefix: Buffer, partition: number, field: string): Buffer {
  const key = keyFor(prefix.length + 4, field)
  key.set(prefix, 0)
  key.writeUInt32BE(partition, prefix.length)
  return key
}

/** The part of a counter's key that `counterPrefix` made. */
export function bookPrefixOf(key: Buffer): Buffer {
  return key.subarray(0, 2 + key.readUInt16BE(0))
}

/** The book in a prefix that `counterPrefix` made. */
export function bookOf(prefix: Buffer): string {
  return prefix.toString('utf8', 2)
}

/** The field in a key that `counterKey` made. */
export function counterField(key: Buffer, prefix: Buffer): string {
  return key.toString('utf8', prefix.length + 4)
}

/**
 * Writes a double as 8 bytes that sort as numbers do: the sign bit is flipped, and for negative numbers the
 * other bits too. −0 becomes 0; both infinities are allowed.
 */
function writeSortable(key: Buffer, value: number, at: number): void {
  if (Number.isNaN(value)) throw new Error('NaN cannot be sorted')
  key.writeDoubleBE(value === 0 ? 0 : value, at)
  if (key[at]! < 0x80) key[at]! ^= 0x80
  else for (let i = at; i < at + NUMBER_BYTES; i++) key[i]! ^= 0xff
}

function readSortable(key: Buffer): number {
  const bytes = Buffer.from(key.subarray(0, NUMBER_BYTES))
  if (bytes[0]! >= 0x80) bytes[0]! ^= 0x80
  else for (let i = 0; i < NUMBER_BYTES; i++) bytes[i]! ^= 0xff
  return bytes.readDoubleBE(0)
}

function writeDuePrefix(key: Buffer, partition: number, bucket: number, dueAt: number): void {
  key.writeUInt32BE(partition, 0)
  key.writeUInt8(bucket, 4)
  writeSortable(key, dueAt, 5)
}

/**
 * A key with `text` at `textAt`; the caller writes the bytes before it. One allocation: a batch makes
 * thousands.
 */
function keyFor(textAt: number, text: string): Buffer {
  const length = textAt + Buffer.byteLength(text)
  if (length > MAX_KEY_BYTES) {
    throw new Error(`A key of ${length} bytes is longer than ${MAX_KEY_BYTES}: ${text.slice(0, 80)}…`)
  }
  const key = Buffer.allocUnsafe(length)
  key.write(text, textAt)
  return key
}

function lengthAndTextBytes(text: string): number {
  return 2 + Buffer.byteLength(text)
}

function writeLengthAndText(key: Buffer, text: string, at: number): void {
  key.writeUInt16BE(key.write(text, at + 2), at)
}
