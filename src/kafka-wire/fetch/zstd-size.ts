import { endOfSkippable } from './skippable-frame.ts'

// A frame, in little-endian numbers:
//   magic uint32 · flags · window uint8, unless it is a single segment · dictionary · content size · blocks ·
//   checksum uint32, if flagged
// A block: uint24 of last (1 bit), type (2 bits) and size · data, one byte if it is repeated.
const MAGIC = 0xfd2fb528
const SINGLE_SEGMENT = 0x20
const CHECKSUM = 0x04
const DICTIONARY_BYTES = [0, 1, 2, 4]
const REPEATED = 1
const COMPRESSED = 2
const MOST_PER_BLOCK = 128 * 1024

export interface ZstdSize {
  /** The zstd frames unpack to at most this. */
  readonly mostBytes: number
  /** The largest memory that a frame claims before its first byte is unpacked. */
  readonly claimedBytes: number
}

/** Reads the heads only. What is malformed or cut off counts as far as it goes: the decoder refuses it. */
export function zstdSize(data: Buffer): ZstdSize {
  let mostBytes = 0
  let claimedBytes = 0
  let at = 0
  while (at + 8 <= data.length) {
    const end = endOfSkippable(data, at)
    if (end !== undefined) {
      at = end
      continue
    }
    const magic = data.readUInt32LE(at)
    if (magic !== MAGIC) break
    const flags = data[at + 4]!
    const isSingle = (flags & SINGLE_SEGMENT) !== 0
    const windowBytes = isSingle ? 0 : windowOf(data[at + 5]!)
    at += (isSingle ? 5 : 6) + DICTIONARY_BYTES[flags & 3]!
    const sizeBytes = flags >> 6 > 0 ? 1 << (flags >> 6) : isSingle ? 1 : 0
    claimedBytes = Math.max(claimedBytes, windowBytes, contentSize(data, at, sizeBytes))
    at += sizeBytes
    for (let isLast = false; !isLast && at + 3 <= data.length; ) {
      const head = data.readUIntLE(at, 3)
      isLast = (head & 1) === 1
      const type = (head >> 1) & 3
      const size = head >> 3
      mostBytes += type === COMPRESSED ? MOST_PER_BLOCK : size
      at += 3 + (type === REPEATED ? 1 : size)
    }
    if ((flags & CHECKSUM) !== 0) at += 4
  }
  return { mostBytes, claimedBytes }
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentSize(data: Buffer, at: number, bytes: number): number {
  if (bytes === 0 || at + bytes > data.length) return 0
  if (bytes === 8) return Number(data.readBigUInt64LE(at))
  return data.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}
