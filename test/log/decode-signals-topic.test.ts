import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash64 } from '../../src/lib/hash.ts'
import { decodeRecord, decodeRecords } from '../../src/log/decode-signals-topic.ts'
import type { LogRecord } from '../../src/log/log.ts'
import type { DecodedRecord } from '../../src/log/own-records.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { signalRecord, tickRecord } from '../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { SignalScanner } from '../../src/signals/scan/scan-signal.ts'
import { ScannedSignals } from '../../src/signals/scan/scanned-signals.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { headersOf } from '../support/log-record.ts'

function record(kind: string, value: string | null, timestamp = 1_800_000_000_000): LogRecord {
  return {
    topic: 'signals',
    partition: 0,
    offset: 7,
    timestamp,
    key: null,
    value: value === null ? null : Buffer.from(value),
    ...headersOf({ headers: { 'upswell-record': kind } }),
  }
}

const CONTEXT = { library: new ModelLibrary(), partitions: 1 }
const TICK = { slice: 0, of: 2, scope: 'due', clock: 'wall' }

test('decodes a tick', () => {
  expect(decodeRecord(record('tick', JSON.stringify(TICK)), CONTEXT)).toEqual({
    entry: { type: 'tick', offset: 7, timestamp: 1_800_000_000_000, ...TICK },
  })
})

test.each([
  ['tick', null],
  ['tick', ''],
  ['tick', '{'],
  ['tick', '[]'],
  ['tick', JSON.stringify({ ...TICK, slice: 2 })],
  ['tick', JSON.stringify({ ...TICK, slice: -1 })],
  ['tick', JSON.stringify({ ...TICK, of: 0.5 })],
  ['tick', JSON.stringify({ ...TICK, scope: 'some' })],
  ['tick', JSON.stringify({ ...TICK, clock: undefined })],
  ['models', null],
  ['models', '{}'],
  ['models', '[null]'],
  ['models', '[{"file":"a.yaml"}]'],
])('what a stranger calls a %s, %s, goes to dead-letter and stops nothing', (kind, value) => {
  expect(decodeRecord(record(kind, value), CONTEXT)).toMatchObject({
    rejection: { code: 'invalid-field', detail: expect.stringContaining(`says ${kind}`) },
  })
})

test('rejects a tick of the far future: it would advance every clock', () => {
  expect(decodeRecord(record('tick', JSON.stringify(TICK), 1e16), CONTEXT)).toMatchObject({
    rejection: { code: 'invalid-time' },
  })
})

const SIGNAL: Signal = {
  id: 'e-1',
  kind: 'usage',
  name: 'report.exported',
  accountId: 'acct-1',
  userId: 'u-1',
  quantityThousandths: 2500,
  properties: {},
  occurredAt: 1_800_000_000_000,
}

/** A record with views of key and value, or with a span too. */
function handedOver(
  { key, value, headers = {} }: ReturnType<typeof signalRecord>,
  { withSpan, timestamp = 1_800_000_000_500 }: { withSpan: boolean; timestamp?: number },
): LogRecord {
  const views = {
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    ...headersOf({ headers }),
  }
  const record = { topic: 'signals', partition: 0, offset: 7, timestamp, ...views }
  if (!withSpan) return record
  const bytes = Buffer.concat(
    [Buffer.from('before'), views.key ?? '', Buffer.from('"}'), views.value ?? '', Buffer.from('"}}')].map(
      part => Buffer.from(part),
    ),
  )
  const keyFrom = 'before'.length
  const keyTo = keyFrom + (views.key?.length ?? 0)
  const valueFrom = keyTo + 2
  const span = {
    bytes,
    keyFrom: views.key === null ? -1 : keyFrom,
    keyTo,
    valueFrom: views.value === null ? -1 : valueFrom,
    valueTo: valueFrom + (views.value?.length ?? 0),
    hasHeaders: Object.keys(headers).length > 0,
  }
  return { ...record, span }
}

/** Decodes with a scanner: the entries in the order of their offsets, then the rejections. */
function scanned(records: readonly LogRecord[], library: ModelLibrary): DecodedRecord[] {
  const reading = { scanner: new SignalScanner(), signals: new ScannedSignals() }
  const { entries, rejections } = decodeRecords(
    records,
    0,
    records.length,
    { library, partitions: 1 },
    reading,
  )
  const decoded: DecodedRecord[] = []
  for (const entry of entries) {
    if (entry.type !== 'signals') {
      decoded.push({ entry })
      continue
    }
    const { signals, from, to } = entry
    for (let i = from; i < to; i++) {
      const { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt } =
        signals.signal(i)
      expect([signals.accountId(i), signals.idHash(i), signals.userHash(i)]).toEqual([
        accountId,
        hash64(id),
        userId === undefined ? undefined : hash64(userId),
      ])
      const signal = { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt }
      const [offset, timestamp, history] = [signals.offset(i), signals.timestamp(i), signals.isHistory(i)]
      decoded.push({ entry: { type: 'signal', offset, timestamp, signal, history } })
    }
  }
  return [...decoded, ...rejections.map(({ rejection }) => ({ rejection }))]
}

/** The signal with all its properties evaluated, lazy ones too. */
function plainly(decoded: DecodedRecord): unknown {
  if ('rejection' in decoded || decoded.entry.type !== 'signal') return decoded
  const { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt } =
    decoded.entry.signal
  return {
    entry: {
      ...decoded.entry,
      signal: { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt },
    },
  }
}

describe('decodes the same with a scanner as without', () => {
  const written = signalRecord('signals', SIGNAL, 1_800_000_000_500)
  const text = String(written.value)
  const tick = tickRecord('signals', 0, 1_800_000_000_000, { slice: 0, of: 2, scope: 'due', clock: 'wall' })
  const rows: readonly [name: string, record: typeof written, timestamp?: number][] = [
    ['a signal', written],
    ['a signal that was loaded as history', signalRecord('signals', SIGNAL, 1_800_000_000_500, 'event')],
    ['a signal with another clock header', { ...written, headers: { 'upswell-clock': 'events' } }],
    ['a signal with foreign headers', { ...written, headers: { trace: 'x' } }],
    ['a signal with properties', signalRecord('signals', { ...SIGNAL, properties: { team: 'Sales' } }, 0)],
    [
      'a signal of an account with a non-ASCII id',
      signalRecord('signals', { ...SIGNAL, accountId: 'ümläut' }, 0),
    ],
    ['facts', signalRecord('signals', { ...SIGNAL, kind: 'traits', properties: { seats: 1 } }, 0)],
    ['another key', { ...written, key: 'acct-2' }],
    ['a key that is longer', { ...written, key: 'acct-11' }],
    ['a key that is shorter', { ...written, key: 'acct-' }],
    ['no key', { ...written, key: null }],
    ['no value', { ...written, value: null }],
    ['an empty value', { ...written, value: '' }],
    ['a value that is no JSON', { ...written, value: text.slice(1) }],
    ['a value without its end', { ...written, value: text.slice(0, -1) }],
    ['a tick', tick],
    ['a signal whose header says tick', { ...written, headers: { 'upswell-record': 'tick' } }],
    ['a signal whose header has an unknown kind', { ...written, headers: { 'upswell-record': '' } }],
    ['a time too far in the future', written, 1e16],
    ['a signal of the future', written, SIGNAL.occurredAt - 600_001],
  ]
  test.each(rows)('%s', (_, outgoing, timestamp = 1_800_000_000_500) => {
    const library = new ModelLibrary()
    const expected = decodeRecord(handedOver(outgoing, { withSpan: false, timestamp }), {
      library,
      partitions: 1,
    })
    for (const withSpan of [false, true]) {
      const record = handedOver(outgoing, { withSpan, timestamp })
      expect(plainly(scanned([record], library)[0]!)).toStrictEqual(plainly(expected))
    }
  })

  test('mixed with others, in any number and order', () => {
    const library = new ModelLibrary()
    const mixed = fc.array(
      fc.record({
        row: fc.nat(rows.length - 1),
        quantityThousandths: fc.nat(9_000),
        userId: fc.option(fc.constantFrom('u-1', 'u-2'), { nil: undefined }),
        isPlain: fc.boolean(),
        withSpan: fc.boolean(),
      }),
      // More than the initial capacity.
      { maxLength: 1_200, size: 'max' },
    )
    let runs = 0
    fc.assert(
      fc.property(mixed, choices => {
        const records = choices.map(
          ({ row, quantityThousandths, userId, isPlain, withSpan }, i): LogRecord => {
            const signal = {
              ...SIGNAL,
              id: `e-${i}`,
              accountId: `acct-${i % 7}`,
              quantityThousandths,
              userId,
            }
            const [, outgoing, timestamp = 1_800_000_000_500 + i] = isPlain
              ? ['', signalRecord('signals', signal, 1_800_000_000_500, i % 3 === 0 ? 'event' : 'wall')]
              : rows[row]!
            return { ...handedOver(outgoing, { withSpan, timestamp }), offset: 3 * i }
          },
        )
        const expected = records.map(each => decodeRecord(each, { library, partitions: 1 }))
        const rejected = expected.filter(decoded => 'rejection' in decoded)
        const accepted = expected.filter(decoded => 'entry' in decoded)
        runs += accepted.length > 0 && rejected.length > 0 ? 1 : 0
        expect(scanned(records, library).map(plainly)).toStrictEqual([...accepted, ...rejected].map(plainly))
      }),
      { numRuns: 60 },
    )
    expect(runs).toBeGreaterThan(20)
  })

  test('reads plain signals without views of key and value', () => {
    const { key, value, headers, ...rest } = handedOver(written, { withSpan: true })
    const unread = (): never => {
      throw new Error('was read')
    }
    const record = Object.defineProperties(
      { ...rest },
      { key: { get: unread }, value: { get: unread }, headers: { get: unread } },
    ) as LogRecord
    expect(plainly(scanned([record], new ModelLibrary())[0]!)).toMatchObject({
      entry: { type: 'signal', history: false, signal: SIGNAL },
    })
  })
})

describe("a signal in another partition than its account's", () => {
  const { key, value, ...rest } = signalRecord('signals', SIGNAL, 1_800_000_000_000)
  const placed = (partition: number, partitions: number, withSpan: boolean, accountId = 'acct-1') => {
    const json = JSON.stringify({ ...JSON.parse(String(value)), accountId })
    const record = { ...handedOver({ ...rest, key: accountId, value: json }, { withSpan }), partition }
    const reading = { scanner: new SignalScanner(), signals: new ScannedSignals() }
    return decodeRecords([record], 0, 1, { library: new ModelLibrary(), partitions }, reading)
  }

  test('is rejected: the API would look for the account in its own partition', () => {
    expect(key).toBe('acct-1')
    expect(partitionOf('acct-1', 4)).toBe(2)
    const { entries, rejections } = placed(1, 4, true)
    expect(entries).toEqual([])
    expect(rejections.map(({ rejection }) => rejection)).toEqual([
      {
        code: 'wrong-partition',
        detail:
          'the record is in partition 1; the signals of account "acct-1" belong into partition 2 of 4, ' +
          'by murmur2 of the key, as the Java client chooses. Change the partitioner of the producer: ' +
          'librdkafka and what is built on it (Python, Go, .NET, PHP, Ruby, Rust, Node) has ' +
          'partitioner=murmur2_random; other clients: docs/write-signals.md',
      },
    ])
  })

  test('is rejected, and every other one is accepted, whichever way it is read', () => {
    const ids = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom('acme', 'Zürich', '株'))
    fc.assert(
      fc.property(
        ids,
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        fc.boolean(),
        (id, count, any, withSpan) => {
          fc.pre(id.isWellFormed() && !id.includes('\u0000'))
          const partition = any % count
          const codes = placed(partition, count, withSpan, id).rejections.map(each => each.rejection.code)
          expect(codes).toEqual(partition === partitionOf(id, count) ? [] : ['wrong-partition'])
        },
      ),
      { numRuns: 500 },
    )
  })

  test('is judged by the account, not by bytes of the key that are no text', () => {
    const json = JSON.stringify({ ...JSON.parse(String(value)), accountId: '\ufffd' })
    const record = handedOver({ ...rest, key: Buffer.from([0xff]), value: json }, { withSpan: false })
    const codes = Array.from({ length: 16 }, (_, partition) => {
      const decoded = decodeRecord({ ...record, partition }, { library: new ModelLibrary(), partitions: 16 })
      return 'entry' in decoded ? 'accepted' : decoded.rejection.code
    })
    expect(codes.indexOf('accepted')).toBe(partitionOf('\ufffd', 16))
    expect(codes.filter(code => code === 'wrong-partition')).toHaveLength(15)
  })

  test.each(['tick', 'live'])('is nothing that a record of kind %s can be: it has no account', kind => {
    const own = record(kind, kind === 'tick' ? JSON.stringify(TICK) : null)
    for (const partition of [0, 1, 2])
      expect(
        decodeRecord({ ...own, partition }, { library: new ModelLibrary(), partitions: 3 }),
      ).toHaveProperty('entry')
  })
})
