import { gzipSync } from 'node:zlib'
import { compressFrame } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import { decodeSnappy, decompress } from '../../../src/kafka-wire/fetch/compression.ts'
import { encodeXerial } from './encode-xerial.ts'

/** snappy-java's header: magic, version 1, readable from version 1 on. */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
/** A handmade snappy block: the length 5, then a literal of 5 bytes. */
const HELLO = Buffer.from([5, (5 - 1) << 2, ...Buffer.from('hello')])
/** The length 10, a literal of 5 bytes, then a copy of 5 bytes from 5 bytes before. */
const HELLO_TWICE = Buffer.from([10, (5 - 1) << 2, ...Buffer.from('hello'), ((5 - 4) << 2) | 1, 5])

function framed(...blocks: Buffer[]): Buffer {
  return Buffer.concat(
    blocks.flatMap(block => [Buffer.from([0, 0, block.length >> 8, block.length & 0xff]), block]),
  )
}

describe('snappy with the frames of Kafka clients', () => {
  it('is decoded from blocks of snappy-java', () => {
    const data = Buffer.concat([HEADER, framed(HELLO, HELLO_TWICE)])
    expect(decodeSnappy(data).toString()).toBe('hellohellohello')
  })

  it('is decoded from concatenated streams', () => {
    const stream = Buffer.concat([HEADER, framed(HELLO)])
    expect(decodeSnappy(Buffer.concat([stream, stream])).toString()).toBe('hellohello')
  })

  it('is decoded from a bare block of librdkafka', () => {
    expect(decodeSnappy(HELLO_TWICE).toString()).toBe('hellohello')
  })

  it('is refused if a block is cut off', () => {
    const data = Buffer.concat([HEADER, framed(HELLO)])
    expect(() => decodeSnappy(data.subarray(0, data.length - 2))).toThrow('cut off')
  })

  it.each([0, 1, 32 * 1024, 32 * 1024 + 1, 200_000])(
    'is decoded to the %d bytes that were encoded',
    length => {
      const data = Buffer.from(Array.from({ length }, (_, i) => (i * i) % 251))
      const encoded = encodeXerial(data)
      expect(encoded.subarray(0, HEADER.length)).toEqual(HEADER)
      expect(Buffer.compare(decodeSnappy(encoded), data)).toBe(0)
    },
  )
})

describe('a compression number', () => {
  const data = Buffer.alloc(5_000, 'text ')

  it('selects the decompression', async () => {
    expect(await decompress(1, gzipSync(data))).toEqual(data)
    expect(await decompress(2, encodeXerial(data))).toEqual(data)
    expect(await decompress(3, await compressFrame(data))).toEqual(data)
  })

  it('decompresses zstd of another encoder', async () => {
    // A frame of one raw block: magic, a single segment of 5 bytes, the last block's head, the bytes.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, (5 << 3) | 1, 0, 0, ...Buffer.from('hello')])
    expect(String(await decompress(4, frame))).toBe('hello')
  })

  it('is refused if unknown', async () => {
    await expect(decompress(5, data)).rejects.toThrow('compression 5; 1 to 4 are known')
  })
})
