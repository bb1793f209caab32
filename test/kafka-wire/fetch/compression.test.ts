import { gzipSync } from 'node:zlib'
import { compressFrame } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import { decodeSnappy, decompress } from '../../../src/kafka-wire/fetch/compression.ts'
import { encodeXerial } from './encode-xerial.ts'

/** snappy-java's header: magic, version 1, readable by version 1. */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
/** A snappy block by hand: the length 5, then a literal of 5 bytes. */
const HELLO = Buffer.from([5, (5 - 1) << 2, ...Buffer.from('hello')])
/** The length 10, a literal of 5 bytes, then a copy of 5 bytes from 5 bytes before. */
const HELLO_TWICE = Buffer.from([10, (5 - 1) << 2, ...Buffer.from('hello'), ((5 - 4) << 2) | 1, 5])

function framed(...blocks: Buffer[]): Buffer {
  return Buffer.concat(
    blocks.flatMap(block => [Buffer.from([0, 0, block.length >> 8, block.length & 0xff]), block]),
  )
}

describe('snappy, as Kafka clients frame it', () => {
  it('is decoded from the blocks of snappy-java', () => {
    const data = Buffer.concat([HEADER, framed(HELLO, HELLO_TWICE)])
    expect(decodeSnappy(data).toString()).toBe('hellohellohello')
  })

  it('is decoded from streams that were appended to one another', () => {
    const stream = Buffer.concat([HEADER, framed(HELLO)])
    expect(decodeSnappy(Buffer.concat([stream, stream])).toString()).toBe('hellohello')
  })

  it('is decoded from a bare block, as librdkafka writes it', () => {
    expect(decodeSnappy(HELLO_TWICE).toString()).toBe('hellohello')
  })

  it('is refused where a block is cut off', () => {
    const data = Buffer.concat([HEADER, framed(HELLO)])
    expect(() => decodeSnappy(data.subarray(0, data.length - 2))).toThrow('cut off')
  })

  it.each([0, 1, 32 * 1024, 32 * 1024 + 1, 200_000])('comes back from its encoding: %d bytes', length => {
    const data = Buffer.from(Array.from({ length }, (_, i) => (i * i) % 251))
    const encoded = encodeXerial(data)
    expect(encoded.subarray(0, HEADER.length)).toEqual(HEADER)
    expect(Buffer.compare(decodeSnappy(encoded), data)).toBe(0)
  })
})

describe('what Kafka calls by a number', () => {
  const data = Buffer.alloc(5_000, 'text ')

  it('is undone as the number says', async () => {
    expect(await decompress(1, gzipSync(data))).toEqual(data)
    expect(await decompress(2, encodeXerial(data))).toEqual(data)
    expect(await decompress(3, await compressFrame(data))).toEqual(data)
  })

  it('is undone where the zstd was made elsewhere', async () => {
    // A frame of one raw block: magic, a single segment of 5 bytes, the last block's head, the bytes.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, (5 << 3) | 1, 0, 0, ...Buffer.from('hello')])
    expect(String(await decompress(4, frame))).toBe('hello')
  })

  it('is refused where it is not known', async () => {
    await expect(decompress(5, data)).rejects.toThrow('compression 5; 1 to 4 are known')
  })
})
