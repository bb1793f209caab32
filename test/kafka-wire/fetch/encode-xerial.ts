import { compress } from 'snappyjs'

const BLOCK_BYTES = 32 * 1024

/** snappy-java's stream: its magic and versions, then blocks, each after its length. */
export function encodeXerial(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from('82534e41505059000000000100000001', 'hex')]
  for (let start = 0; start < data.length; start += BLOCK_BYTES) {
    const block = compress(data.subarray(start, start + BLOCK_BYTES))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
