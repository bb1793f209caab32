import fc from 'fast-check'

/**
 * JSON texts that are signals, are nearly signals, or became broken signals by a change of bytes. Their times
 * are around `OBSERVED_AT`.
 */

export const OBSERVED_AT = Date.parse('2026-03-01T00:00:00Z')

/** A member of the object, as text. */
type Member = readonly [name: string, value: string]

const PLAIN_TEXT = fc.oneof(
  fc.constantFrom('a', 'acct-1', 'report.exported', 'x y', '{}', ',', ':', 'constructor', '~', ' ', '0'),
  fc.string({ minLength: 1, maxLength: 20 }),
)
const LONG_TEXT = fc.constantFrom(63, 64, 65, 199, 200, 201, 511, 512, 513).map(length => 'x'.repeat(length))
const ODD_TEXT = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '',
    'é',
    '€',
    '😀',
    '\u007f',
    '\u0000',
    '\u001f',
    '\\',
    '"',
    '/',
    '\ud800',
    '__proto__',
    '\u2028',
  ),
)

const TEXT_IN_QUOTES = fc.oneof(
  { weight: 60, arbitrary: PLAIN_TEXT.map(text => JSON.stringify(text)) },
  { weight: 1, arbitrary: LONG_TEXT.map(text => JSON.stringify(text)) },
  { weight: 1, arbitrary: ODD_TEXT.map(text => JSON.stringify(text)) },
  // Not escaped, as JSON.stringify would write it.
  { weight: 1, arbitrary: ODD_TEXT.map(text => `"${text}"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"\\u0061"', '"\\n"', '"a\\/b"', 'null', '1', '[]', '{}', 'true', '"'),
  },
)

const NUMBER = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 1000 }).map(String) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 999_999 }).map(number => String(number / 1000)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 9_999_999_999 }).map(String) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 1_100_000_000 }), fc.integer({ min: 0, max: 99_999 }))
      .map(([whole, fraction]) => `${whole}.${fraction}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '1e3',
      '1E3',
      '01',
      '00',
      '-0',
      '-1',
      '0',
      '0.0',
      '1.0',
      '1.005',
      '1.0005',
      '1.0004999',
      '.5',
      '1.',
      '+1',
      '1 ',
      ' 1',
      '999999999.999',
      '1000000000',
      '1000000000000',
      '1000000000001',
      '1e999',
      'NaN',
      'null',
      '"1"',
      '1.5e0',
      '0x1',
    ),
  },
)

const two = (max: number) => fc.integer({ min: 0, max }).map(number => String(number).padStart(2, '0'))
const DATE = fc.oneof(
  fc.constantFrom('2026-02-28', '2026-03-01', '2026-01-05', '2024-02-29', '1970-01-01', '2000-02-29'),
  fc.constantFrom(
    '2026-02-29',
    '1900-02-29',
    '2100-02-29',
    '1969-12-31',
    '0000-00-00',
    '2026-02-30',
    '2149-06-06',
  ),
  fc
    .tuple(fc.integer({ min: 1960, max: 2030 }), two(14), two(33))
    .map(([year, month, day]) => `${year}-${month}-${day}`),
)
const CLOCK = fc.oneof(
  fc.constantFrom(
    '00:00:00',
    '00:09:59',
    '00:10:00',
    '00:10:01',
    '23:59:59',
    '23:59:60',
    '24:00:00',
    '12:60:00',
  ),
  fc.tuple(two(25), two(61), two(61)).map(parts => parts.join(':')),
)
const FRACTION = fc.constantFrom('', '', '.000', '.001', '.345', '.999', '.5', '.12', '.1234', '.', '.1a2')
const ZONE = fc.oneof(
  { weight: 8, arbitrary: fc.constant('Z') },
  { weight: 1, arbitrary: fc.constantFrom('z', '+00:00', '-01:30', '', ' ', '+24:00', 'ZZ') },
)
const TIME = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .integer({ min: 0, max: 400 * 86_400_000 })
      .map(ago => JSON.stringify(new Date(OBSERVED_AT - ago).toISOString())),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(DATE, fc.constantFrom('T', 'T', 'T', 'T', 't', ' '), CLOCK, FRACTION, ZONE)
      .map(parts => `"${parts.join('')}"`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('null', '1767607872000', '""', '"2026-01-05"', '"2026-1-5T00:00:00Z"'),
  },
)

const KIND = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('"usage"', '"intent"', '"outcome"') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '"traits"',
      '"override"',
      '"Usage"',
      '"usages"',
      '"use"',
      '""',
      'null',
      '"tick"',
      '"\\u0075sage"',
    ),
  },
)

const OPTIONAL: fc.Arbitrary<Member> = fc.oneof(
  { weight: 8, arbitrary: TEXT_IN_QUOTES.map((value): Member => ['userId', value]) },
  { weight: 8, arbitrary: NUMBER.map((value): Member => ['quantity', value]) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        '{}',
        '{}',
        '{ }',
        'null',
        '[]',
        '{"team":"Sales"}',
        '{"__proto__":1}',
        '{"a":{"b":{}}}',
        '""',
        '1',
      )
      .map((value): Member => ['properties', value]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'extra',
          '__proto__',
          'constructor',
          'Id',
          'ident',
          'i',
          '',
          'k\\u0069nd',
          'kinds',
          'id ',
        ),
        fc.constantFrom('1', '"x"', '{}', 'null', '[[]]'),
      )
      .map(([name, value]): Member => [name, value]),
  },
  // A few members again, so that some are there twice.
  { weight: 1, arbitrary: TEXT_IN_QUOTES.map((value): Member => ['id', value]) },
  { weight: 1, arbitrary: KIND.map((value): Member => ['kind', value]) },
)

const MEMBERS: fc.Arbitrary<Member[]> = fc
  .tuple(
    TEXT_IN_QUOTES.map((value): Member => ['id', value]),
    KIND.map((value): Member => ['kind', value]),
    TEXT_IN_QUOTES.map((value): Member => ['name', value]),
    TEXT_IN_QUOTES.map((value): Member => ['accountId', value]),
    TIME.map((value): Member => ['occurredAt', value]),
    fc.array(OPTIONAL, { maxLength: 3 }),
  )
  .map(([id, kind, name, accountId, occurredAt, others]) => [
    id,
    kind,
    name,
    accountId,
    ...others,
    occurredAt,
  ])

const SEPARATORS = fc.oneof(
  { weight: 16, arbitrary: fc.constant([':', ','] as const) },
  { weight: 2, arbitrary: fc.constant([': ', ', '] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([' :', ' ,'] as const, [':  ', ',\n'] as const, ['', ','] as const),
  },
)
const ENDS = fc.oneof(
  { weight: 30, arbitrary: fc.constant(['{', '}'] as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['{ ', ' }'] as const,
      ['{', '}\n'] as const,
      ['{', ''] as const,
      ['{', ',}'] as const,
      ['{', '}}'] as const,
      ['[{', '}]'] as const,
      ['\ufeff{', '}'] as const,
      ['{,', '}'] as const,
    ),
  },
)

const TEXT = fc
  .tuple(
    MEMBERS,
    fc.boolean(),
    fc.infiniteStream(fc.nat()),
    SEPARATORS,
    ENDS,
    fc.integer({ min: 0, max: 12 }),
  )
  .map(([members, isShuffled, draws, [colon, comma], [open, close], left]) => {
    const ordered = isShuffled ? shuffle(members, draws) : members
    // One text in forty lacks a member.
    const kept = left === 0 ? ordered.slice(1) : ordered
    return open + kept.map(([name, value]) => `"${name}"${colon}${value}`).join(comma) + close
  })

function shuffle(members: readonly Member[], draws: Iterator<number>): Member[] {
  const shuffled = [...members]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = draws.next().value % (i + 1)
    ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
  }
  return shuffled
}

/** Replaces, inserts or removes bytes. */
const DAMAGE = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      at: fc.nat(),
      what: fc.constantFrom('set', 'insert', 'remove', 'cut'),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0x22, 0x2c, 0x3a, 0x5c, 0x20, 0x7d, 0x30, 0x2e),
      ),
    }),
  },
)

export const arbitrarySignalBytes: fc.Arbitrary<Buffer> = fc.tuple(TEXT, DAMAGE).map(([text, damage]) => {
  const bytes = [...Buffer.from(text)]
  if (damage === undefined) return Buffer.from(bytes)
  const at = damage.at % bytes.length
  if (damage.what === 'set') bytes[at] = damage.byte
  else if (damage.what === 'insert') bytes.splice(at, 0, damage.byte)
  else if (damage.what === 'remove') bytes.splice(at, 1)
  else bytes.length = at
  return Buffer.from(bytes)
})
