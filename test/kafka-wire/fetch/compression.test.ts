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

/** A zstd frame with a window of 128 KiB: its magic, then these blocks. */
function zstdFrame(blocks: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]), ...blocks])
}

function zstdHead(size: number, type: number, isLast: boolean): Buffer {
  const head = Buffer.alloc(3)
  head.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
  return head
}

describe('data that unpack to more than 128 MiB', () => {
  const zeros = Buffer.alloc(129 * 1024 * 1024)
  const times = (count: number, block: Buffer) => Array.from({ length: count }, () => block)

  it('are refused in each compression', async () => {
    const snappy = encodeXerial(Buffer.alloc(32 * 1024)).subarray(HEADER.length)
    const repeated = Buffer.concat([zstdHead(128 * 1024, 1, false), Buffer.from([0])])
    const end = Buffer.concat([zstdHead(128 * 1024, 1, true), Buffer.from([0])])
    const bombs: [number, string, Buffer][] = [
      [1, 'gzip', gzipSync(zeros)],
      [2, 'snappy', Buffer.concat([HEADER, ...times(33 * 128, snappy)])],
      [2, 'snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
      [3, 'lz4', await compressFrame(zeros)],
      [4, 'zstd', zstdFrame([...times(1_030, repeated), end])],
      // It claims a window of 1 GiB, and has one byte.
      [4, 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 20 << 3, (1 << 3) | 1, 0, 0, 65])],
    ]
    for (const [number, codec, bomb] of bombs)
      await expect(decompress(number, bomb)).rejects.toThrow(`it unpacks to more than 128 MiB (${codec})`)
  })

  it('are unpacked below that', async () => {
    const most = zeros.subarray(0, 127 * 1024 * 1024)
    for (const unpacked of [
      await decompress(1, gzipSync(most)),
      await decompress(3, await compressFrame(most)),
    ])
      expect(unpacked.equals(most)).toBe(true)
  })

  it('are not taken for such because of many small blocks of zstd', async () => {
    // A compressed block: five times the literal "a", no sequences.
    const block = (isLast: boolean) =>
      Buffer.concat([zstdHead(3, 2, isLast), Buffer.from([(5 << 3) | 1, 97, 0])])
    const frame = zstdFrame([...times(1_100, block(false)), block(true)])
    expect(String(await decompress(4, frame))).toBe('a'.repeat(5 * 1_101))
  })
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
