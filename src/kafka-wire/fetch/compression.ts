import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { decompress as decompressZstd } from 'fzstd'
import { decompressFrame } from 'lz4-napi'
import { uncompress as uncompressSnappy } from 'snappyjs'

/**
 * Decompresses by the number in a record batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd.
 * @throws Error when the number is unknown, or the data do not fit it
 */
export async function decompress(compression: number, data: Buffer): Promise<Buffer> {
  const codec = CODECS[compression]
  if (codec === undefined)
    throw new Error(
      `a record batch has the compression ${compression}; 1 to 4 are known (gzip, snappy, lz4, zstd)`,
    )
  return codec(data)
}

const decompressGzip = promisify(gunzip)

const CODECS: Readonly<Record<number, (data: Buffer) => Buffer | Promise<Buffer>>> = {
  1: data => decompressGzip(data),
  2: decodeSnappy,
  3: data => decompressFrame(data),
  4: data => Buffer.from(decompressZstd(data)),
}

// snappy-java's stream: this magic, two versions (int32), then blocks, each after its length (int32,
// big-endian).
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

/** Decodes the stream of snappy-java, or the bare block of librdkafka. */
export function decodeSnappy(data: Buffer): Buffer {
  if (!isXerialHeader(data, 0)) return uncompressSnappy(data)
  const blocks: Buffer[] = []
  let at = 0
  while (at < data.length) {
    // Concatenated streams keep their headers.
    if (isXerialHeader(data, at)) {
      at += XERIAL_HEADER_BYTES
      continue
    }
    const end = at + 4 + data.readInt32BE(at)
    if (end > data.length) throw new Error('a snappy block is cut off')
    blocks.push(uncompressSnappy(data.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
}

function isXerialHeader(data: Buffer, at: number): boolean {
  return data.length >= at + XERIAL_HEADER_BYTES && data.compare(XERIAL_MAGIC, 0, 8, at, at + 8) === 0
}
