import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AbortedTransaction, BatchReader } from '../../../src/kafka-wire/fetch/batch-reader.ts'
import { FetchedRecords } from '../../../src/kafka-wire/fetch/fetched-records.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { encodeXerial } from './encode-xerial.ts'
import { encodeBatch, encodeMarker, type RecordToEncode } from './record-batches.ts'

it('reads the committed records of any log, from any offset, any number at a time', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryLog, arbitraryReading, async (entries, reading) => {
      const log = layOut(entries)
      const answer = fetch(log, reading)
      const expected = answer.whole
        .filter(({ fate }) => fate === 'plain' || fate === 'committed')
        .flatMap(slowRecords)
        .filter(({ offset }) => offset >= answer.from && offset < answer.to)
      const batches = { topic: 't', partition: 1, bytes: answer.bytes, aborted: answer.aborted }
      const reader = new BatchReader(batches, answer.from, answer.to)
      expect(reader.nextOffset).toBe(answer.whole.at(-1)?.endOffset)
      expect((await readAll(reader, reading.most)).map(contentsOf)).toEqual(expected)
    }),
    { numRuns: 400 },
  )
})

const arbitraryBytes = fc.option(fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)))
const arbitraryRecord = fc.record({
  /** Compaction leaves gaps. */
  gap: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(100_000)),
  timestampDelta: fc.oneof(
    fc.integer({ min: -2_000, max: 2_000 }),
    fc.maxSafeNat().map(n => n % 2 ** 50),
  ),
  key: arbitraryBytes,
  value: arbitraryBytes,
  headers: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'ü', '', '__proto__'), arbitraryBytes), {
    maxLength: 4,
  }),
})
const arbitraryBatch = fc.record({
  type: fc.constant('batch' as const),
  producerId: fc.nat(3),
  isTransactional: fc.boolean(),
  isAppendTime: fc.boolean(),
  baseTimestamp: fc.constantFrom(0, 1_700_000_000_000),
  compression: fc.constantFrom<0 | 1 | 2>(0, 0, 1, 2),
  records: fc.array(arbitraryRecord, { maxLength: 6 }),
  gapAtEnd: fc.nat(3),
})
const arbitraryMarker = fc.record({
  type: fc.constantFrom('abort' as const, 'commit' as const),
  producerId: fc.nat(3),
})
const arbitraryLog = fc.array(fc.oneof({ weight: 3, arbitrary: arbitraryBatch }, arbitraryMarker), {
  maxLength: 20,
})
const arbitraryReading = fc.record({
  /** Fractions of the log: where the fetch begins, where its bytes are cut off, where it ends. */
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.double({ min: 0, max: 1, noNaN: true }),
  to: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  most: fc.integer({ min: 1, max: 7 }),
  seed: fc.integer(),
})

type Batch = typeof arbitraryBatch extends fc.Arbitrary<infer T> ? T : never
type Entry = Batch | (typeof arbitraryMarker extends fc.Arbitrary<infer T> ? T : never)

interface LaidOut {
  readonly baseOffset: number
  /** The offset of the next entry. */
  readonly endOffset: number
  readonly bytes: Buffer
  readonly batch: (Batch & { readonly encoded: readonly RecordToEncode[] }) | undefined
  fate: 'plain' | 'open' | 'committed' | 'aborted' | 'marker'
}

interface Log {
  readonly entries: readonly LaidOut[]
  readonly aborted: readonly (AbortedTransaction & { readonly lastOffset: number })[]
}

/**
 * Puts the entries one after the other. A transaction lasts from a producer's first transactional batch to
 * its next marker. Transactions that are open at the end are committed.
 */
function layOut(entries: readonly Entry[]): Log {
  const laidOut: LaidOut[] = []
  const aborted: (AbortedTransaction & { lastOffset: number })[] = []
  const open = new Map<number, LaidOut[]>()
  let offset = 1_000
  const end = (producerId: number, type: 'abort' | 'commit'): void => {
    const batches = open.get(producerId) ?? []
    for (const batch of batches) batch.fate = type === 'abort' ? 'aborted' : 'committed'
    open.delete(producerId)
    const bytes = encodeMarker(offset, producerId, type)
    laidOut.push({ baseOffset: offset, endOffset: offset + 1, bytes, batch: undefined, fate: 'marker' })
    if (type === 'abort' && batches.length > 0)
      aborted.push({ producerId, firstOffset: batches[0]!.baseOffset, lastOffset: offset })
    offset++
  }
  for (const entry of entries) {
    if (entry.type !== 'batch') {
      end(entry.producerId, entry.type)
      continue
    }
    const placed = placeBatch(entry, offset)
    laidOut.push(placed)
    if (entry.isTransactional) open.set(entry.producerId, [...(open.get(entry.producerId) ?? []), placed])
    offset = placed.endOffset
  }
  for (const producerId of [...open.keys()]) end(producerId, 'commit')
  return { entries: laidOut, aborted }
}

const COMPRESS = { 0: undefined, 1: gzipSync, 2: encodeXerial } as const

function placeBatch(batch: Batch, baseOffset: number): LaidOut {
  let delta = -1
  const encoded = batch.records.map(record => {
    delta += 1 + record.gap
    return { ...record, offsetDelta: delta }
  })
  const lastOffsetDelta = Math.max(0, delta) + batch.gapAtEnd
  const { baseTimestamp, compression, isAppendTime, isTransactional, producerId } = batch
  const compress = COMPRESS[compression]
  const bytes = encodeBatch({
    ...{ baseOffset, lastOffsetDelta, baseTimestamp, isAppendTime, isTransactional, producerId, compression },
    maxTimestamp: baseTimestamp + 77,
    records: encoded,
    ...(compress === undefined ? {} : { compress }),
  })
  const fate = isTransactional ? 'open' : 'plain'
  return {
    baseOffset,
    endOffset: baseOffset + lastOffsetDelta + 1,
    bytes,
    batch: { ...batch, encoded },
    fate,
  }
}

/** A broker's answer: it begins with the batch that contains the offset, and may be cut off anywhere. */
function fetch(
  { entries, aborted }: Log,
  reading: { from: number; bytes: number; to: number | null; seed: number },
) {
  const first = 1_000
  const end = entries.at(-1)?.endOffset ?? first
  const from = first + Math.floor(reading.from * (end - first))
  const to =
    reading.to === null ? Number.POSITIVE_INFINITY : first + Math.floor(reading.to * (end - first + 1))
  const sent = entries.filter(({ endOffset }) => endOffset > from)
  const all = Buffer.concat(sent.map(({ bytes }) => bytes))
  const bytes = all.subarray(0, Math.floor(reading.bytes * all.length))
  let size = 0
  const whole = sent.filter(entry => {
    size += entry.bytes.length
    return size <= bytes.length
  })
  const listed = aborted.filter(({ lastOffset }) => lastOffset >= from)
  const shuffled = listed.toSorted(
    (a, b) => ((a.lastOffset * 31 + reading.seed) % 7) - ((b.lastOffset * 31 + reading.seed) % 7),
  )
  return { from, to, bytes, whole, aborted: shuffled }
}

interface Contents {
  readonly offset: number
  readonly timestamp: number
  readonly key: string | undefined
  readonly value: string | undefined
  readonly headers: readonly (readonly [string, string])[]
}

function slowRecords({ baseOffset, batch }: LaidOut): Contents[] {
  return batch!.encoded.map(({ headers, key, offsetDelta, timestampDelta, value }) => ({
    offset: baseOffset + offsetDelta,
    timestamp: batch!.baseTimestamp + (batch!.isAppendTime ? 77 : timestampDelta),
    key: key?.toString('hex'),
    value: value?.toString('hex'),
    headers: [
      ...new Map(headers.map(([name, content]) => [name, content?.toString('hex') ?? ''])),
    ].toSorted(),
  }))
}

function contentsOf({ headers, key, offset, timestamp, value }: LogRecord): Contents {
  return {
    ...{ offset, timestamp, key: key?.toString('hex'), value: value?.toString('hex') },
    headers: Object.entries(headers)
      .map(([name, content]) => [name, content.toString('hex')] as const)
      .toSorted(),
  }
}

async function readAll(reader: BatchReader, most: number): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  const records = new FetchedRecords()
  for (;;) {
    records.clear()
    await reader.read(records, most)
    all.push(...records)
    if (records.length < most) return all
  }
}
