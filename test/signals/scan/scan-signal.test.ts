import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash64, hash64OfLanes } from '../../../src/lib/hash.ts'
import { parseSignal } from '../../../src/signals/parse-signal.ts'
import { PlainTextReader } from '../../../src/signals/scan/plain-text.ts'
import { SignalScanner } from '../../../src/signals/scan/scan-signal.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { arbitrarySignalBytes, OBSERVED_AT } from '../../support/arbitrary/arbitrary-signal-texts.ts'

const RUNS = 2000

const PLAIN =
  '{"id":"e-1","kind":"usage","name":"report.exported","accountId":"acct-1","userId":"u-1","quantity":2.5,"occurredAt":"2026-01-05T10:11:12.345Z"}'

function scan(text: string, scanner = new SignalScanner()): Signal | undefined {
  const bytes = Buffer.from(text)
  return scanner.scan(bytes, 0, bytes.length, OBSERVED_AT)
}

/** The fields of every signal, scanned or parsed. */
function fieldsOf(signal: Signal) {
  const { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt } = signal
  return { id, kind, name, accountId, userId, quantityThousandths, properties: { ...properties }, occurredAt }
}

function parsed(bytes: Buffer): Signal | undefined {
  const result = parseSignal(bytes, { observedAt: OBSERVED_AT, defaultKind: undefined, place: 'log' })
  return 'signal' in result ? result.signal : undefined
}

function expectSame(scanned: Signal, expected: Signal): void {
  // The hashes first: they must not need the texts.
  expect(scanned.idHash).toBe(hash64(expected.id))
  expect(scanned.userHash).toBe(expected.userId === undefined ? undefined : hash64(expected.userId))
  expect(scanned.seriesKey).toBe(`${expected.kind}:${expected.name}`)
  expect(fieldsOf(scanned)).toStrictEqual(fieldsOf(expected))
  // A second read gives the same texts.
  expect([scanned.id, scanned.userId]).toEqual([expected.id, expected.userId])
}

describe('a signal that the scanner accepts', () => {
  test('is accepted by the parser with equal fields, wherever its bytes are, and whatever was scanned before', () => {
    const scanner = new SignalScanner()
    const counts = { plain: 0, odd: 0, none: 0 }
    fc.assert(
      fc.property(
        arbitrarySignalBytes,
        fc.nat(20),
        fc.constantFrom('}', '"', ' ', '0', 'Z', '\u0000'),
        (bytes, before, filler) => {
          const expected = parsed(bytes)
          const around = Buffer.concat([Buffer.alloc(before, filler), bytes, Buffer.alloc(30, filler)])
          const scanned = scanner.scan(around, before, before + bytes.length, OBSERVED_AT)
          counts[scanned !== undefined ? 'plain' : expected !== undefined ? 'odd' : 'none']++
          if (scanned === undefined) return
          if (expected === undefined) throw new Error(`the parser rejects ${bytes}`)
          expectSame(scanned, expected)
        },
      ),
      { numRuns: RUNS },
    )
    // Each outcome must occur often enough to be compared.
    expect(Math.min(counts.plain, counts.odd, counts.none)).toBeGreaterThan(RUNS / 20)
  })

  test.each([
    ['the fields in the order of the contract', PLAIN],
    [
      'the kind outcome and no user',
      '{"id":"e","kind":"outcome","name":"n","accountId":"a","occurredAt":"2026-01-05T10:11:12Z"}',
    ],
    [
      'another order, empty properties, spaces as Python writes them',
      '{"occurredAt": "2024-02-29T23:59:59Z", "quantity": 0, "properties": {}, "name": "n", "accountId": "a", "kind": "intent", "id": "e"}',
    ],
    ['a time 10 minutes ahead', PLAIN.replace('2026-01-05T10:11:12.345Z', '2026-03-01T00:10:00.000Z')],
    ['the longest quantity', PLAIN.replace('2.5', '999999999.999')],
  ])('may have %s', (_, text) => {
    expectSame(scan(text)!, parsed(Buffer.from(text))!)
  })
})

describe('the scanner leaves to the parser', () => {
  test.each<[string, string | ((text: string) => string)]>([
    ['facts', text => text.replace('usage', 'traits')],
    ['an override', text => text.replace('usage', 'override')],
    ['properties', text => text.replace('}', ',"properties":{"team":"Sales"}}')],
    ['an unknown field', text => text.replace('}', ',"extra":1}')],
    ['a field twice', text => text.replace('}', ',"id":"e-2"}')],
    ['no name', text => text.replace('"name":"report.exported",', '')],
    ['an empty text', text => text.replace('e-1', '')],
    ['an escape', text => text.replace('e-1', 'e\\u002d1')],
    ['a character beyond ASCII', text => text.replace('u-1', 'ü-1')],
    ['a control character', text => text.replace('u-1', 'u\t1')],
    ['an account id that is too long', text => text.replace('acct-1', 'x'.repeat(513))],
    ['a name that is too long', text => text.replace('report.exported', 'x'.repeat(201))],
    ['a user of null', text => text.replace('"u-1"', 'null')],
    ['a quantity with an exponent', text => text.replace('2.5', '1e3')],
    ['a quantity with four decimals', text => text.replace('2.5', '1.0005')],
    ['a quantity that is not JSON', text => text.replace('2.5', '01')],
    ['a quantity of ten digits', text => text.replace('2.5', '1000000000')],
    ['another time zone', text => text.replace('345Z', '345+01:00')],
    ['a day that does not exist', text => text.replace('2026-01-05', '2026-02-29')],
    ['a time before 1970', text => text.replace('2026', '1969')],
    ['the future', text => text.replace('2026-01-05T10:11:12.345Z', '2026-03-01T00:10:00.001Z')],
    ['a leap second', text => text.replace('10:11:12.345Z', '23:59:60.000Z')],
    ['an array', text => `[${text}]`],
    ['something after it', text => `${text} `],
    ['a text that breaks off', text => text.slice(0, -1)],
    ['nothing', ''],
    ['an empty object', '{}'],
  ])('%s', (_, change) => {
    expect(scan(PLAIN)).toBeDefined()
    expect(scan(typeof change === 'string' ? change : change(PLAIN))).toBeUndefined()
  })
})

describe('the hash of a text', () => {
  test('equals the hash of its bytes, read as a plain text', () => {
    const reader = new PlainTextReader()
    const text = fc.string({ maxLength: 40 }).map(any => any.replaceAll(/["\\]/g, '.'))
    fc.assert(
      fc.property(text, fc.nat(5), (plain, before) => {
        const bytes = Buffer.concat([Buffer.alloc(before, 'x'), Buffer.from(plain), Buffer.from('"')])
        expect(reader.read(bytes, before, bytes.length)).toBe(before + plain.length)
        expect(hash64OfLanes(reader.firstLane, reader.secondLane)).toBe(hash64(plain))
      }),
    )
  })
})
