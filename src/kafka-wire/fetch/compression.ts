import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import * as zstd from 'fzstd'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappyjs'
import { LZ4_MOST_PER_BYTE, unpackedLz4Bytes } from './lz4-size.ts'
import { zstdSize } from './zstd-size.ts'

/**
 * A batch of some hundred KB may claim gigabytes. A usual one has at most 1 MiB, and JSON packs to a tenth.
 */
export const MOST_UNPACKED_BYTES = 128 * 1024 * 1024

/**
 * Decompresses by the number in a record batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd.
 * @throws Error when the number is unknown, the data do not fit it, or they unpack to more than 128 MiB
 */
export async function decompress(compression: number, data: Buffer): Promise<Buffer> {
  const codec = CODECS[compression]
  if (codec === undefined)
    throw new Error(`it has the compression ${compression}; 1 to 4 are known (gzip, snappy, lz4, zstd)`)
  return codec(data)
}

const CODECS: Readonly<Record<number, (data: Buffer) => Buffer | Promise<Buffer>>> = {
  1: decompressGzip,
  2: decodeSnappy,
  3: decompressLz4,
  4: decompressZstd,
}

function tooLarge(codec: string): Error {
  return new Error(`it unpacks to more than ${MOST_UNPACKED_BYTES / 1024 / 1024} MiB (${codec})`)
}

const gunzipped = promisify(gunzip)

async function decompressGzip(data: Buffer): Promise<Buffer> {
  try {
    return await gunzipped(data, { maxOutputLength: MOST_UNPACKED_BYTES })
  } catch (error) {
    throw error instanceof RangeError ? tooLarge('gzip') : error
  }
}

function decompressLz4(data: Buffer): Promise<Buffer> {
  if (data.length * LZ4_MOST_PER_BYTE > MOST_UNPACKED_BYTES && unpackedLz4Bytes(data) > MOST_UNPACKED_BYTES)
    throw tooLarge('lz4')
  return decompressFrame(data)
}

function decompressZstd(data: Buffer): Buffer {
  const { claimedBytes, mostBytes } = zstdSize(data)
  if (claimedBytes > MOST_UNPACKED_BYTES) throw tooLarge('zstd')
  if (mostBytes <= MOST_UNPACKED_BYTES) return Buffer.from(zstd.decompress(data))
  // Small blocks may hold less than the most: only unpacking shows it.
  const blocks: Uint8Array[] = []
  let bytes = 0
  const stream = new zstd.Decompress(block => {
    bytes += block.length
    if (bytes > MOST_UNPACKED_BYTES) throw tooLarge('zstd')
    blocks.push(block)
  })
  stream.push(data, true)
  return Buffer.concat(blocks)
}

// snappy-java's stream: this magic, two versions (int32), then blocks, each after its length (int32,
// big-endian).
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

/** Decodes the stream of snappy-java, or the bare block of librdkafka. */
export function decodeSnappy(data: Buffer): Buffer {
  if (!isXerialHeader(data, 0)) return uncompressSnappy(data, MOST_UNPACKED_BYTES)
  const blocks: Buffer[] = []
  let room = MOST_UNPACKED_BYTES
  let at = 0
  while (at < data.length) {
    // Concatenated streams keep their headers.
    if (isXerialHeader(data, at)) {
      at += XERIAL_HEADER_BYTES
      continue
    }
    const end = at + 4 + data.readInt32BE(at)
    if (end > data.length) throw new Error('a snappy block is cut off')
    const block = uncompressSnappy(data.subarray(at + 4, end), room)
    room -= block.length
    blocks.push(block)
    at = end
  }
  return Buffer.concat(blocks)
}

function uncompressSnappy(block: Buffer, room: number): Buffer {
  if (claimedSnappyBytes(block) > room) throw tooLarge('snappy')
  return uncompress(block)
}

/** A block begins with its unpacked length: 7 bits a byte, the lowest first. */
function claimedSnappyBytes(block: Buffer): number {
  let claimed = 0
  for (const [i, byte] of block.subarray(0, 5).entries()) {
    claimed += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  return claimed
}

function isXerialHeader(data: Buffer, at: number): boolean {
  return data.length >= at + XERIAL_HEADER_BYTES && data.compare(XERIAL_MAGIC, 0, 8, at, at + 8) === 0
}
