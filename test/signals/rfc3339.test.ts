import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOfCivil, parseRfc3339 } from '../../src/signals/rfc3339.ts'
import { PlainTimeReader } from '../../src/signals/scan/plain-time.ts'

/** The grammar of RFC 3339; `slowParse` checks the calendar with `Date`. */
const GRAMMAR =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

function slowParse(text: string): number | undefined {
  const match = GRAMMAR.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return undefined
  const date = slowDay(year, month, day)
  if (date === undefined) return undefined
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  const ms = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  return date * 86_400_000 + hour * 3_600_000 + (minute - offsetMinutes) * 60_000 + second * 1000 + ms
}

function slowDay(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month - 1, day)
  const date = new Date(ms)
  const exists =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists ? ms / 86_400_000 : undefined
}

const digits = (count: number, max = 10 ** count - 1) =>
  fc.integer({ min: 0, max }).map(number => String(number).padStart(count, '0'))
const separator = (usual: string) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom('', ' ', '/', '٣', usual + usual) },
  )
const TIME = fc
  .tuple(
    fc.oneof(
      digits(4, 2500),
      fc.constantFrom('2000', '1900', '2024', '2026', '0000', '0099', '0100', '9999', '1970', '202'),
    ),
    separator('-'),
    fc.oneof(digits(2, 13), fc.constantFrom('2', '12')),
    separator('-'),
    fc.oneof(digits(2, 32), fc.constantFrom('28', '29', '30', '31')),
    fc.constantFrom('T', 'T', 'T', 't', ' ', '_'),
    digits(2, 24),
    separator(':'),
    digits(2, 60),
    separator(':'),
    digits(2, 61),
    fc.oneof(
      fc.constantFrom('', '', '.', ',5', '.٣'),
      digits(3).map(ms => `.${ms}`),
      fc.integer({ min: 0, max: 9_999_999_999 }).map(ms => `.${ms}`),
    ),
    fc.oneof(
      fc.constantFrom('Z', 'Z', 'Z', 'z', '', 'ZZ', 'Z\n'),
      fc
        .tuple(fc.constantFrom('+', '-'), digits(2, 25), separator(':'), digits(2, 61))
        .map(parts => parts.join('')),
    ),
  )
  .map(parts => parts.join(''))

/** Times come in runs of one day, as in a log. */
const PLAIN_TIME = fc
  .tuple(
    fc.constantFrom('2026-01-05', '2026-01-06', '2024-02-29', '1999-12-31'),
    fc.nat(86_399_999),
    fc.boolean(),
  )
  .map(([day, ms, hasMs]) => {
    const text = new Date(Date.parse(day) + ms).toISOString()
    return hasMs ? text : text.replace(/\.\d+/, '')
  })

const RUNS = 5000

test('parses exactly the times that the grammar and the calendar allow', () => {
  let times = 0
  fc.assert(
    fc.property(TIME, text => {
      const expected = slowParse(text)
      if (expected !== undefined) times++
      expect(parseRfc3339(text), text).toBe(expected)
    }),
    { numRuns: RUNS },
  )
  expect(times).toBeGreaterThan(RUNS / 20)
})

test('numbers every day of 900 years, and no day that does not exist', () => {
  let next: number | undefined
  for (let year = 1600; year < 2500; year++)
    for (let month = 0; month <= 13; month++)
      for (let day = 0; day <= 32; day++) {
        const found = dayOfCivil(year, month, day)
        if (found !== slowDay(year, month, day)) throw new Error(`${year}-${month}-${day} is day ${found}`)
        if (found === undefined) continue
        if (next !== undefined && found !== next)
          throw new Error(`${year}-${month}-${day} does not follow the day before`)
        next = found + 1
      }
  expect(next).toBe(slowDay(2500, 1, 1))
})

test('reads plain times from their bytes, whatever was read before', () => {
  const reader = new PlainTimeReader()
  let times = 0
  fc.assert(
    fc.property(fc.oneof(TIME, PLAIN_TIME), text => {
      const bytes = Buffer.from(`"${text}"`)
      const ms = reader.read(bytes, 1, bytes.length - 1)
      if (ms === -1) return
      times++
      expect(ms, text).toBe(slowParse(text))
    }),
    { numRuns: RUNS },
  )
  expect(times).toBeGreaterThan(RUNS / 4)
})

test.each([
  ['2026-01-05T10:11:12Z', Date.parse('2026-01-05T10:11:12Z')],
  ['2026-01-05T10:11:12.345Z', Date.parse('2026-01-05T10:11:12.345Z')],
  ['1970-01-01T00:00:00.000Z', 0],
  ['2024-02-29T23:59:59.999Z', Date.parse('2024-02-29T23:59:59.999Z')],
  ['1969-12-31T23:59:59.999Z', -1],
  ['2026-02-29T00:00:00.000Z', -1],
  ['2026-01-05T23:59:60.000Z', -1],
  ['2026-01-05T10:11:12,345Z', -1],
  ['2026-01-05T10:11:12.345z', -1],
])('reads the plain time %s as %d', (text, ms) => {
  const reader = new PlainTimeReader()
  const bytes = Buffer.from(text)
  expect(reader.read(bytes, 0, bytes.length)).toBe(ms)
  expect(reader.read(bytes, 0, bytes.length)).toBe(ms)
})
