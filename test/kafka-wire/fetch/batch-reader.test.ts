import { deflateSync, gzipSync } from 'node:zlib'
import { compressFrame } from 'lz4-napi'
import { describe, expect, it } from 'vitest'
import { type AbortedTransaction, BatchReader } from '../../../src/kafka-wire/fetch/batch-reader.ts'
import type { FetchedRecord } from '../../../src/kafka-wire/fetch/fetched-record.ts'
import { FetchedRecords } from '../../../src/kafka-wire/fetch/fetched-records.ts'
import { encodeXerial } from './encode-xerial.ts'
import {
  encodeBatch,
  encodeMarker,
  encodeWithKafkajs,
  plainRecord,
  type RecordToEncode,
} from './record-batches.ts'

describe('the reader of record batches', () => {
  it('gives every record its offset, time, key, value and headers', async () => {
    const bytes = encodeBatch({
      baseOffset: 5_000_000_000,
      baseTimestamp: 1_700_000_000_000,
      records: VARIED,
    })
    const [first, second, third] = await read(bytes)
    expect(first).toMatchObject({ topic: 'signals', partition: 3, offset: 5_000_000_000 })
    expect(first?.timestamp).toBe(1_700_000_000_000)
    expect(String(first?.key)).toBe('account-1')
    expect(String(first?.value)).toBe('{"id":1}')
    expect(first?.hasHeaders).toBe(true)
    expect(first?.headers).toEqual({
      ce_type: Buffer.from('usage'),
      über: Buffer.from('2'),
      none: Buffer.alloc(0),
    })
    expect(second).toMatchObject({
      offset: 5_000_000_001,
      timestamp: 1_699_999_999_000,
      key: null,
      value: null,
    })
    expect(second).toMatchObject({ keyFrom: -1, valueFrom: -1, hasHeaders: false })
    expect(second?.headers).toEqual({})
    expect(third).toMatchObject({ offset: 5_000_070_000, timestamp: 1_700_000_000_000 + 2 ** 40 })
    expect(third?.key).toEqual(Buffer.alloc(0))
    expect(third?.value).toEqual(Buffer.alloc(300, 'v'))
  })

  it('gives every record of more than 512 its own offset, time, key, value and headers', async () => {
    const batchOf = (first: number, count: number): Buffer =>
      encodeBatch({
        baseOffset: first,
        baseTimestamp: 1_000 * first,
        records: Array.from({ length: count }, (_, i) => {
          const at = first + i
          return {
            offsetDelta: i,
            timestampDelta: 3 * i,
            key: at % 3 === 0 ? null : Buffer.from(`key ${at}`),
            value: at % 5 === 0 ? null : Buffer.from(`value ${at}`),
            headers: at % 7 === 0 ? [] : [['upswell-record', Buffer.from(`header ${at}`)]],
          }
        }),
      })
    const records = await read(Buffer.concat([batchOf(0, 700), batchOf(700, 900)]))
    expect(
      records.map(({ offset, timestamp, key, value, headers }) =>
        [offset, timestamp, key, value, headers['upswell-record']].map(String).join(),
      ),
    ).toEqual(
      Array.from({ length: 1_600 }, (_, at) => {
        const time = at < 700 ? 3 * at : 700_000 + 3 * (at - 700)
        const key = at % 3 === 0 ? null : `key ${at}`
        const value = at % 5 === 0 ? null : `value ${at}`
        return [at, time, key, value, at % 7 === 0 ? undefined : `header ${at}`].map(String).join()
      }),
    )
  })

  it('makes each record its own span', async () => {
    const [record] = await read(encodeBatch({ baseOffset: 0, records: VARIED }))
    const { bytes, keyFrom, keyTo, valueFrom, valueTo } = record!.span
    expect(bytes.toString('utf8', keyFrom, keyTo)).toBe('account-1')
    expect(bytes.toString('utf8', valueFrom, valueTo)).toBe('{"id":1}')
  })

  it('gives all records the time of the batch if the broker set it', async () => {
    const batch = { baseOffset: 0, baseTimestamp: 1_000, maxTimestamp: 9_000, records: VARIED }
    const records = await read(encodeBatch({ ...batch, isAppendTime: true }))
    expect(records.map(({ timestamp }) => timestamp)).toEqual([9_000, 9_000, 9_000])
  })

  it('reads the batches that kafkajs writes', async () => {
    const records = VARIED.map(record => ({
      ...record,
      headers: record.headers.filter(([, value]) => value !== null),
    }))
    const bytes = await encodeWithKafkajs({ firstOffset: 7, firstTimestamp: 1_000, records })
    const read1 = await read(bytes)
    expect(read1.map(({ offset }) => offset)).toEqual([7, 8, 70_007])
    expect(read1.map(({ value }) => value && String(value))).toEqual(
      records.map(({ value }) => value && String(value)),
    )
    expect(String(read1[0]?.headers['ce_type'])).toBe('usage')
  })

  it.each([
    ['gzip', 1, gzipSync],
    ['snappy', 2, encodeXerial],
  ] as const)('reads %s', async (_, compression, compress) => {
    const bytes = encodeBatch({ baseOffset: 4, compression, compress, records: VARIED })
    expect(textsOf(await read(bytes))).toEqual(['{"id":1}', null, 'v'.repeat(300)])
  })

  it('reads lz4 between uncompressed batches', async () => {
    const packed = await compressFrame(bodyOf(encodeBatch({ baseOffset: 0, records: VARIED })))
    const bytes = Buffer.concat([
      plainBatch(0, 2),
      encodeBatch({ baseOffset: 2, compression: 3, compress: () => packed, records: VARIED }),
      plainBatch(80_000, 2),
    ])
    expect(textsOf(await read(bytes))).toEqual(['0', '1', '{"id":1}', null, 'v'.repeat(300), '0', '1'])
  })

  it('begins at the requested offset, within a batch, and ends before `to`', async () => {
    const bytes = Buffer.concat([plainBatch(0, 3), plainBatch(3, 3), plainBatch(6, 3)])
    expect(offsetsOf(await read(bytes, { from: 1, to: 7 }))).toEqual([1, 2, 3, 4, 5, 6])
    expect(offsetsOf(await read(bytes, { from: 4 }))).toEqual([4, 5, 6, 7, 8])
  })

  it('gives as many records at a time as the caller wants', async () => {
    const bytes = Buffer.concat([plainBatch(0, 3), plainBatch(3, 3)])
    const reader = readerOf(bytes, { from: 0 })
    const chunks: number[][] = []
    for (let i = 0; i < 4; i++) {
      const records = new FetchedRecords()
      await reader.read(records, 2)
      chunks.push(offsetsOf([...records]))
    }
    expect(chunks).toEqual([[0, 1], [2, 3], [4, 5], []])
  })

  it('gives fewer records if their bytes are enough, and at least one', async () => {
    const reader = readerOf(Buffer.concat([plainBatch(0, 3), plainBatch(3, 3)]), {})
    const all = [...(await read(Buffer.concat([plainBatch(0, 1)])))]
    const bytes = (all[0]!.key?.length ?? 0) + (all[0]!.value?.length ?? 0)
    const chunks: number[][] = []
    for (const mostBytes of [1, bytes + 1, 2 * bytes, 100 * bytes]) {
      const records = new FetchedRecords(mostBytes)
      await reader.read(records, 100)
      chunks.push(offsetsOf([...records]))
    }
    expect(chunks).toEqual([[0], [1, 2], [3, 4], [5]])
  })

  it('leaves out a batch that is cut off at any byte', async () => {
    const [first, second] = [plainBatch(0, 2), plainBatch(2, 2)]
    for (let length = 0; length < second.length; length++) {
      const bytes = Buffer.concat([first, second.subarray(0, length)])
      expect(readerOf(bytes, { from: 0 }).nextOffset).toBe(2)
      expect(offsetsOf(await read(bytes))).toEqual([0, 1])
    }
    expect(readerOf(first.subarray(0, 70), { from: 0 }).nextOffset).toBeUndefined()
  })

  it('continues after a batch that compaction shortened or emptied', async () => {
    const left = encodeBatch({ baseOffset: 10, lastOffsetDelta: 9, records: [plainRecord(4)] })
    const empty = encodeBatch({ baseOffset: 30, lastOffsetDelta: 5, records: [] })
    expect(readerOf(left, { from: 10 }).nextOffset).toBe(20)
    const both = Buffer.concat([left, empty])
    expect(readerOf(both, { from: 10 }).nextOffset).toBe(36)
    expect(offsetsOf(await read(both))).toEqual([14])
  })

  it('reports formats and compressions that it cannot read', async () => {
    const old = plainBatch(0, 1)
    old.writeInt8(1, 16)
    expect(() => readerOf(old, { from: 0 })).toThrow(/format \(magic\) 1; only 2/)
    const unknown = encodeBatch({ baseOffset: 0, compression: 4, compress: deflateSync, records: VARIED })
    unknown.writeInt16BE(5, 21)
    await expect(read(unknown)).rejects.toThrow(/compression 5; 1 to 4/)
  })

  it('says which batch unpacks to too much', async () => {
    const bomb = gzipSync(Buffer.alloc(129 * 1024 * 1024))
    const batch = { baseOffset: 40, compression: 1, compress: () => bomb, records: VARIED } as const
    await expect(read(encodeBatch(batch))).rejects.toThrow(
      /offsets 40 to 70040 of signals\/3 cannot be unpacked: it unpacks to more than 128 MiB \(gzip\).*smaller batches/,
    )
  })

  it('counts the unpacked batches of the last read among the bytes that it holds', async () => {
    const records = [plainRecord(0, 'v'.repeat(5_000)), plainRecord(1)]
    const packed = [0, 2].map(baseOffset =>
      encodeBatch({ baseOffset, compression: 1, compress: gzipSync, records }),
    )
    const bytes = Buffer.concat(packed)
    const reader = readerOf(bytes, { from: 0 })
    const held: number[] = []
    for (const most of [1, 2, 100]) {
      await reader.read(new FetchedRecords(), most)
      held.push(Math.floor((reader.heldBytes - bytes.length) / 5_000))
    }
    expect(held).toEqual([1, 2, 1])
  })

  it('refuses records whose lengths do not fit', async () => {
    const longer = plainBatch(0, 1)
    longer[61] = longer[61]! + 2
    await expect(read(longer)).rejects.toThrow('where its length says')
    const longerKey = encodeBatch({ baseOffset: 0, records: [{ ...plainRecord(0), key: Buffer.from('k') }] })
    longerKey[65] = 126
    await expect(read(longerKey)).rejects.toThrow('where its length says')
    const fewer = plainBatch(0, 1)
    fewer.writeInt32BE(2, 57)
    await expect(read(fewer)).rejects.toThrow('where its length says')
  })
})

/**
 * A log as a row of `producer value`: `!` is the producer's abort marker, `.` its commit marker. A producer
 * in lower case writes without transactions. The list has the aborted transactions as `producer
 * first-offset`.
 */
it.each([
  ['nothing aborted', 'A1 A2 A. B3 B.', [], '1 2 3'],
  ['one transaction aborted', 'A1 A2 A! B3 B.', ['A 0'], '3'],
  ['a producer that also commits before and after', 'A1 A. A2 A! A3 A.', ['A 2'], '1 3'],
  ['a producer that aborts twice', 'A1 A! A2 A. A3 A!', ['A 0', 'A 4'], '2'],
  ['overlapping transactions, listed as they ended', 'A1 B2 A3 B! A4 A! C5 C.', ['B 1', 'A 0'], '5'],
  ['aborted transactions that overlap a committed one', 'A1 B2 C3 A4 B! C5 A! C.', ['B 1', 'A 0'], '3 5'],
  ['a fetch that begins within two aborted transactions', 'B2 A3 B! A! A4 A.', ['B -7', 'A -9'], '4'],
  ['a producer without transactions in between', 'A1 b2 A3 A!', ['A 0', 'b 1'], '2'],
  ['an aborted transaction whose end is not fetched yet', 'A1 B2 A3', ['A 0'], '2'],
])('leaves out what was aborted, and nothing else: %s', async (_, log, list, expected) => {
  const bytes = Buffer.concat(log.split(' ').map(encodeEntry))
  expect(textsOf(await read(bytes, { from: 0, aborted: list.map(readTransaction) })).join(' ')).toBe(expected)
})

/** Three kinds of records: with everything, with nothing, with long and large values. */
const VARIED: readonly RecordToEncode[] = [
  {
    offsetDelta: 0,
    timestampDelta: 0,
    key: Buffer.from('account-1'),
    value: Buffer.from('{"id":1}'),
    headers: [
      ['ce_type', Buffer.from('intent')],
      ['ce_type', Buffer.from('usage')],
      ['über', Buffer.from('2')],
      ['none', null],
    ],
  },
  { offsetDelta: 1, timestampDelta: -1_000, key: null, value: null, headers: [] },
  {
    offsetDelta: 70_000,
    timestampDelta: 2 ** 40,
    key: Buffer.alloc(0),
    value: Buffer.alloc(300, 'v'),
    headers: [],
  },
]

interface Reading {
  readonly from?: number
  readonly to?: number
  readonly aborted?: readonly AbortedTransaction[]
}

function readerOf(bytes: Buffer, { aborted = [], from = 0, to }: Reading): BatchReader {
  return new BatchReader({ topic: 'signals', partition: 3, bytes, aborted }, from, to)
}

async function read(bytes: Buffer, reading: Reading = {}): Promise<FetchedRecord[]> {
  const records = new FetchedRecords()
  await readerOf(bytes, reading).read(records, 10_000)
  return [...records]
}

function plainBatch(baseOffset: number, count: number): Buffer {
  return encodeBatch({ baseOffset, records: Array.from({ length: count }, (_, i) => plainRecord(i)) })
}

function bodyOf(batch: Buffer): Buffer {
  return batch.subarray(61)
}

function offsetsOf(records: readonly FetchedRecord[]): number[] {
  return records.map(({ offset }) => offset)
}

function textsOf(records: readonly FetchedRecord[]): (string | null)[] {
  return records.map(({ value }) => value?.toString() ?? null)
}

function encodeEntry(text: string, offset: number): Buffer {
  const [producer, value] = [text[0]!, text.slice(1)]
  const producerId = producer.toUpperCase().charCodeAt(0)
  if (value === '!' || value === '.')
    return encodeMarker(offset, producerId, value === '!' ? 'abort' : 'commit')
  const isTransactional = producer === producer.toUpperCase()
  return encodeBatch({ baseOffset: offset, producerId, isTransactional, records: [plainRecord(0, value)] })
}

function readTransaction(text: string): AbortedTransaction {
  const [producer, firstOffset] = text.split(' ')
  return { producerId: producer!.toUpperCase().charCodeAt(0), firstOffset: Number(firstOffset) }
}
