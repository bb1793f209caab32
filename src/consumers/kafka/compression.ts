import { decompress as decompressZstd } from 'fzstd'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as compressSnappy, uncompress as uncompressSnappy } from 'snappyjs'

/** Teaches kafkajs the compressions that it leaves out (it decodes only gzip), as the Java clients use them. */
export function registerCompressions(): void {
  // Node finds only some of kafkajs' exports by name; these are not among them.
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd
}

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(data: Buffer): Promise<Buffer>
}

const lz4: Codec = {
  compress: encoder => compressFrame(encoder.buffer),
  decompress: data => decompressFrame(data),
}

const snappy: Codec = {
  compress: async encoder => encodeXerial(encoder.buffer),
  decompress: async data => decodeSnappy(data),
}

const zstd: Codec = {
  compress: async () => {
    throw new Error('writing zstd is not supported; use none, gzip, snappy or lz4')
  },
  decompress: async data => Buffer.from(decompressZstd(data)),
}

// snappy-java's stream: this magic, two versions (int32), then blocks, each with its length (int32, big-endian).
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16
const XERIAL_BLOCK_BYTES = 32 * 1024

export function encodeXerial(data: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER_BYTES)
  XERIAL_MAGIC.copy(header)
  header.writeInt32BE(1, 8)
  header.writeInt32BE(1, 12)
  const parts: Buffer[] = [header]
  for (let start = 0; start < data.length; start += XERIAL_BLOCK_BYTES) {
    const block = compressSnappy(data.subarray(start, start + XERIAL_BLOCK_BYTES))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Decodes snappy-java's stream, and the bare block that librdkafka writes. */
export function decodeSnappy(data: Buffer): Buffer {
  if (!isXerialHeader(data, 0)) return uncompressSnappy(data)
  const blocks: Buffer[] = []
  let at = 0
  while (at < data.length) {
    // Streams that were appended to one another bring their headers along.
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
