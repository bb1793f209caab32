import { describe, it } from 'vitest'
import { expectRefused, rules } from '../model-text.ts'

const NAME = '"usres" is not a feature; accepted: a name from features; did you mean "users"?'

describe('a problem in a condition has a position in the YAML file', () => {
  it.each([
    ['plain', ['a: { when: seats > 1 && §usres > 3, points: 1 }']],
    ['plain, on two lines', ['a:', '  when: seats > 1 &&', '        §usres > 3', '  points: 1']],
    ['plain, with an empty line in it', ['a:', '  when: seats > 1', '', '    && §usres > 3', '  points: 1']],
    ['single-quoted', ["a: { when: 'seats > 1 && §usres > 3', points: 1 }"]],
    ['single-quoted, with quotes in it', ["a: { when: 'plan == ''x'' && §usres > 3', points: 1 }"]],
    ['single-quoted, on two lines', ['a:', "  when: 'plan == ''x''", "      && §usres > 3'", '  points: 1']],
    ['double-quoted', ['a: { when: "seats > 1 && §usres > 3", points: 1 }']],
    ['double-quoted, with quotes in it', ['a: { when: "plan == \\"x\\" && §usres > 3", points: 1 }']],
    [
      'double-quoted, with characters by number',
      ['a: { when: "plan == \'\\u0041\\x42\' && §us\\u0072es > 3", points: 1 }'],
    ],
    [
      'double-quoted, with a character beyond 16 bits',
      ['a: { when: "plan == \'\\U0001F600😀\' && §usres > 3", points: 1 }'],
    ],
    [
      'double-quoted, with spaces by number',
      ['a: { when: "seats\\u0020>\\t1\\n&&\\x20§usres > 3", points: 1 }'],
    ],
    ['double-quoted, on two lines', ['a:', '  when: "seats > 1', '    && §usres > 3"', '  points: 1']],
    [
      'double-quoted, with an escaped line end',
      ['a:', '  when: "seats > 1 \\', '    && §usres > 3"', '  points: 1'],
    ],
    ['a literal block', ['a:', '  points: 1', '  when: |', '    seats > 1', '      && §usres > 3']],
    [
      'a literal block with an indentation',
      ['a:', '  points: 1', '  when: |2-', '      seats > 1', '    && §usres > 3'],
    ],
    [
      'a folded block',
      ['a:', '  points: 1', '  when: >-  # why', '    seats > 1', '', '      && §usres > 3'],
    ],
    ['an alias', ['a: { when: &it seats > 1 && §usres > 3, points: 1 }', 'b: { when: *it, points: 1 }']],
  ])('when the condition is %s', (_, lines) => {
    expectRefused(rules(...lines), NAME)
  })

  it('whatever the line endings are', () => {
    expectRefused(
      rules('a: { when: users > 1, points: 1 }\r', 'b: { when: seats > 1 && §usres > 3, points: 1 }\r'),
      NAME,
    )
  })
})
