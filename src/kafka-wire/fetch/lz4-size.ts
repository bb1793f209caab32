import { endOfSkippable } from './skippable-frame.ts'

// A frame, in little-endian numbers:
//   magic uint32 · flags · block descriptor · content size uint64, if flagged · dictionary uint32, if
//   flagged · checksum uint8 · blocks · an end of four zeros · checksum uint32, if flagged
// A block: size uint32 (the highest bit: not compressed) · data · checksum uint32, if flagged.
const MAGIC = 0x184d2204
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY = 0x01
const NOT_COMPRESSED = 0x80000000

/** No byte unpacks to more. */
export const LZ4_MOST_PER_BYTE = 255

/**
 * The bytes that lz4 frames unpack to, counted without unpacking them. A frame that is cut off counts as far
 * as it goes.
 * @throws Error when the data are no lz4 frames
 */
export function unpackedLz4Bytes(data: Buffer): number {
  let bytes = 0
  let at = 0
  while (at + 8 <= data.length) {
    const end = endOfSkippable(data, at)
    if (end !== undefined) {
      at = end
      continue
    }
    const magic = data.readUInt32LE(at)
    if (magic !== MAGIC) throw new Error('the data are no lz4 frame')
    const flags = data[at + 4]!
    const checksumBytes = (flags & BLOCK_CHECKSUM) === 0 ? 0 : 4
    at += 7 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8) + ((flags & DICTIONARY) === 0 ? 0 : 4)
    while (at + 4 <= data.length) {
      const size = data.readUInt32LE(at)
      at += 4
      if (size === 0) break
      const length = size % NOT_COMPRESSED
      bytes += size >= NOT_COMPRESSED ? length : blockBytes(data, at, Math.min(at + length, data.length))
      at += length + checksumBytes
    }
    if ((flags & CONTENT_CHECKSUM) !== 0) at += 4
  }
  return bytes
}

/** A block is sequences: a token of two lengths, literals, and the place of a match (none in the last). */
function blockBytes(data: Buffer, from: number, to: number): number {
  let bytes = 0
  let at = from
  /** A length of 15 goes on in further bytes, up to one below 255. */
  const lengthAfter = (start: number): number => {
    let length = start
    if (start < 15) return length
    for (;;) {
      const more = at < to ? data[at]! : 0
      at++
      length += more
      if (more < 255) return length
    }
  }
  while (at < to) {
    const token = data[at++]!
    const literals = lengthAfter(token >> 4)
    bytes += literals
    at += literals
    if (at >= to) break
    at += 2
    bytes += 4 + lengthAfter(token & 15)
  }
  return bytes
}
