import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FetchedPartition } from '../../../src/kafka-wire/fetch/fetch-answer.ts'
import { ByteQuota } from '../../../src/lib/byte-quota.ts'
import { HeldOutages } from '../../../src/lib/outages.ts'
import { fetchAhead, type RecordSource } from '../../../src/log/kafka/fetch-ahead.ts'
import { encodeBatch, encodeMarker, plainRecord } from '../../kafka-wire/fetch/record-batches.ts'
import { silent, until } from '../../support/log-handlers.ts'

describe('a source that fetches ahead', () => {
  it('hands over up to `most` records, from the offset on, across answers that have arrived', async () => {
    const log = new FakeLog([
      [3, 4, 5, 6],
      [7, 8, 9],
      [10, 11],
    ])
    const source = log.open(4)
    expect(await take(source, 2)).toEqual([4, 5])
    await until(() => log.fetches.length === 2)
    await sleep(1)
    expect(await take(source, 3)).toEqual([6, 7, 8])
    expect(await take(source, 100)).toContain(9)
  })

  it('does not wait for the next answer once it has a record', async () => {
    const log = new FakeLog([[0, 1], [2]])
    const source = log.open(0)
    log.delay = new Promise(() => {})
    log.answersBeforeDelay = 1
    expect(await take(source, 5)).toEqual([0, 1])
  })

  it('fetches one answer ahead, and no more', async () => {
    const log = new FakeLog([[0, 1], [2, 3], [4, 5], [6]])
    const source = log.open(0)
    expect(log.fetches).toEqual([])
    expect(await take(source, 1)).toEqual([0])
    await sleep(5)
    expect(log.fetches).toEqual([0, 2])
    expect(await take(source, 1)).toEqual([1])
    await sleep(5)
    expect(log.fetches).toEqual([0, 2])
    expect(await take(source, 1)).toEqual([2])
    await sleep(5)
    expect(log.fetches).toEqual([0, 2, 4])
  })

  it('fetches at the end of the log only when called, and gets all records that have come since', async () => {
    const log = new FakeLog([[0, 1]])
    const source = log.open(0)
    expect(await take(source, 10)).toEqual([0, 1])
    await sleep(5)
    expect(log.fetches).toEqual([0])
    log.answers.push([2, 3, 4])
    expect(await take(source, 10)).toEqual([2, 3, 4])
  })

  it('pauses between an answer and the next fetch at the end of the log, but not after a quiet time', async () => {
    const log = new FakeLog([[0]])
    const source = log.open(0, 60)
    expect(await take(source, 10)).toEqual([0])
    log.answers.push([1])
    const next = take(source, 10)
    await sleep(5)
    expect(log.fetches).toEqual([0])
    expect(await next).toEqual([1])
    await sleep(70)
    void source.take(10)
    await sleep(5)
    expect(log.fetches).toEqual([0, 1, 2])
  })

  it('does not fetch after it was closed', async () => {
    const log = new FakeLog([[0]])
    const source = log.open(0, 60_000)
    expect(await take(source, 10)).toEqual([0])
    const next = source.take(10)
    source.close()
    expect(await next).toBeUndefined()
    expect(log.fetches).toEqual([0])
  })

  it('continues over markers, aborted records and empty answers', async () => {
    const log = new FakeLog([[], 'marker', [1]])
    const source = log.open(0)
    expect(await take(source, 10)).toEqual([1])
    expect(log.fetches).toEqual([0, 0, 1])
  })

  it('tries again with a new connection after a failure, and shows the problem until then', async () => {
    const log = new FakeLog([protocolError('NOT_LEADER_FOR_PARTITION'), undefined, [0]])
    const source = log.open(0)
    const taken = take(source, 10)
    await until(() => source.problem() !== undefined)
    expect(source.problem()).toMatch(/signals\/0 cannot be fetched: .*NOT_LEADER/)
    expect(await taken).toEqual([0])
    expect(source.problem()).toBeUndefined()
    expect(log.recoveries).toBe(1)
  })

  it.each([
    ['the next records were deleted', () => new FakeLog([[0], protocolError('OFFSET_OUT_OF_RANGE')])],
    ['a batch cannot be decoded', () => new FakeLog([[0], 'garbage'])],
  ])('fails where %s', async (_, makeLog) => {
    const source = makeLog().open(0)
    expect(await take(source, 1)).toEqual([0])
    await expect(source.take(1)).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      message: expect.stringContaining('could not read signals/0'),
    })
  })

  it('fails if the topic is gone', async () => {
    const log = new FakeLog([protocolError('NOT_LEADER_FOR_PARTITION')])
    log.recoverFailure = protocolError('UNKNOWN_TOPIC_OR_PARTITION')
    await expect(log.open(0).take(1)).rejects.toMatchObject({
      message: expect.stringMatching(/UNKNOWN_TOPIC/),
    })
  })

  it('says at which offset it waits, past the ends of transactions, and not while it holds records', async () => {
    const log = new FakeLog([[0, 1], 'marker', 'marker'])
    const source = log.open(0)
    expect(source.waitsAt()).toBe(0)
    expect(await take(source, 1)).toEqual([0])
    expect(source.waitsAt()).toBeUndefined()
    expect(await take(source, 1)).toEqual([1])
    void source.take(1)
    await until(() => source.waitsAt() === 4)
  })

  it('ends a waiting call when it is closed, even if the broker does not answer', async () => {
    const log = new FakeLog([[0]])
    log.delay = new Promise(() => {})
    const source = log.open(0)
    const taken = source.take(1)
    await sleep(1)
    source.close()
    expect(await taken).toBeUndefined()
    expect(await source.take(1)).toBeUndefined()
    expect(log.closed).toBe(1)
  })

  it('stops trying when it is closed', async () => {
    const log = new FakeLog(Array.from({ length: 50 }, () => protocolError('NOT_LEADER_FOR_PARTITION')))
    const source = log.open(0)
    const taken = source.take(1)
    await until(() => log.fetches.length === 1)
    source.close()
    expect(await taken).toBeUndefined()
    await sleep(150)
    expect(log.fetches).toHaveLength(1)
  })

  it('waits for its part of the quota, and gives it back when the records are used', async () => {
    const quota = new ByteQuota(2_500)
    const open = () => {
      const log = new FakeLog([[0], [1], [2]])
      log.quota = quota
      // The next answer never comes, and has its part.
      log.delay = new Promise(() => {})
      log.answersBeforeDelay = 1
      return { log, source: log.open(0) }
    }
    const [first, second, third] = [open(), open(), open()]
    expect(await take(first.source, 1)).toEqual([0])
    expect(await take(second.source, 1)).toEqual([0])
    const taken = take(third.source, 1)
    await sleep(5)
    expect(quota.waiting).toBeGreaterThan(0)
    first.source.close()
    second.source.close()
    expect(await taken).toEqual([0])
    third.source.close()
    await sleep(5)
    expect([quota.leased, quota.waiting]).toEqual([0, 0])
  })

  it('counts what a batch unpacks to, while its records are used', async () => {
    const log = new FakeLog(['packed'])
    const source = log.open(0)
    expect(await take(source, 1)).toEqual([0])
    expect(log.quota.leased).toBeGreaterThan(5_000)
    void source.take(1)
    // The next fetch asks for 1,000.
    await until(() => log.quota.leased === 1_000)
  })

  it('gives back its part when a fetch fails, brings nothing, or arrives after the end', async () => {
    const quota = new ByteQuota(1_000)
    const log = new FakeLog([new Error('away'), undefined, [0], [1]])
    log.quota = quota
    const source = log.open(0)
    expect(await take(source, 1)).toEqual([0])
    let arrive = (): void => {}
    log.delay = new Promise(resolve => {
      arrive = resolve
    })
    log.answersBeforeDelay = 0
    const next = take(source, 1)
    await sleep(5)
    source.close()
    expect(await next).toBeUndefined()
    arrive()
    await until(() => quota.leased === 0)
  })
})

async function take(source: RecordSource, most: number): Promise<number[] | undefined> {
  const records = await source.take(most)
  return records && Array.from(records, ({ offset }) => offset)
}

/**
 * Gives one answer for each item: a batch of these offsets, a marker, garbage, a packed batch, an answer
 * without the partition, or a failure. After the last one it stays silent.
 */
type FakeAnswer = readonly number[] | 'marker' | 'garbage' | 'packed' | undefined | Error

class FakeLog {
  readonly answers: FakeAnswer[]
  /** The offsets. */
  readonly fetches: number[] = []
  recoveries = 0
  recoverFailure: Error | undefined
  closed = 0
  quota = new ByteQuota(1_000_000)
  delay: Promise<void> | undefined
  answersBeforeDelay = 0

  constructor(answers: readonly FakeAnswer[]) {
    this.answers = [...answers]
  }

  open(offset: number, pauseMs = 0): RecordSource {
    const fetcher = {
      ...{ topic: 'signals', partition: 0 },
      fetch: (range: { readonly offset: number }) => this.#fetch(range.offset),
      recover: async () => {
        this.recoveries++
        if (this.recoverFailure !== undefined) throw this.recoverFailure
      },
      close: () => void this.closed++,
    }
    const limits = { maxBytes: 1_000, minBytes: 1, maxWaitMs: 1, pauseMs }
    const outages = new HeldOutages(silent)
    const source = fetchAhead({ fetcher, outages, offset, quota: this.quota, ...limits })
    onTestFinished(() => source.close())
    return source
  }

  async #fetch(offset: number): Promise<FetchedPartition | undefined> {
    this.fetches.push(offset)
    if (this.fetches.length > this.answersBeforeDelay) await this.delay
    if (this.answers.length === 0) await new Promise(() => {})
    const answer = this.answers.shift()
    if (answer === undefined) return undefined
    if (answer instanceof Error) throw answer
    const bytes = encode(offset, answer)
    const lastStableOffset = this.answers.length > 0 ? Number.MAX_SAFE_INTEGER : 0
    return { topic: 'signals', partition: 0, errorCode: 0, lastStableOffset, aborted: [], bytes }
  }
}

function encode(offset: number, answer: readonly number[] | 'marker' | 'garbage' | 'packed'): Buffer {
  if (answer === 'packed')
    return encodeBatch({
      ...{ baseOffset: offset, compression: 1, compress: gzipSync },
      records: [plainRecord(0, 'v'.repeat(5_000))],
    })
  if (answer === 'marker') return encodeMarker(offset, 1, 'abort')
  if (answer === 'garbage') {
    const bytes = encodeBatch({ baseOffset: offset, records: [plainRecord(0)] })
    bytes[61] = bytes[61]! + 2
    return bytes
  }
  const [first] = answer
  if (first === undefined) return Buffer.alloc(0)
  return encodeBatch({ baseOffset: first, records: answer.map(each => plainRecord(each - first)) })
}

function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type, code: 1 })
}
