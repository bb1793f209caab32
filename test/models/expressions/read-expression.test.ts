import { describe, expect, it } from 'vitest'
import { parseModel } from '../../../src/models/parse-model.ts'
import { compileExpression } from '../../../src/scoring/definition/conditions.ts'
import type { Expression, Value } from '../../../src/scoring/definition/model-definition.ts'
import { errorOf, expectRefused, modelText, parse, rules } from '../model-text.ts'

const ACCEPTED = 'features, numbers, texts, && || !, comparisons, + - * /, in [...], ? : and known(feature)'

function expressionOf(cel: string): Expression {
  const model = parse(rules(`a: { when: ${JSON.stringify(cel)}, points: 1 }`))
  const [rule] = model.groups[0]!.rules
  return rule!.type === 'cases' ? rule!.cases[0]!.when!.expression : expect.fail('no cases')
}

function evaluate(cel: string, values: Record<string, Value>): Value {
  const names = ['seats', 'users', 'plan', 'trial']
  return compileExpression(expressionOf(cel), name => names.indexOf(name))(names.map(name => values[name]))
}

describe('a condition', () => {
  const values = { seats: 10, users: 3, plan: 'pro', trial: true }
  it.each([
    ['users >= 3', true],
    ['users > 3', false],
    ['3 == users && 10.0 != users', true],
    ['users / 2 > 1.4', true],
    ['users / seats <= 0.3', true],
    ['-users + 2 * (seats - 1) == 15', true],
    ['users - -3 == 6', true],
    ['users > -1e3 && users < 0x10', true],
    ['plan == "pro" || seats == 1', true],
    ["plan != 'pro'", false],
    ['plan in ["team", "pro"]', true],
    ['users in [1, 2.0, -3]', false],
    ['users + 1 in [4]', true],
    ['trial', true],
    ['!trial || trial == false', false],
    ['trial in [true]', true],
    ['known(seats) && !known(plan)', false],
    ['trial ? users > 1 : users > 5', true],
    ['(trial ? seats : users) == 10', true],
    ['users > 1 // a comment of CEL', true],
  ])('%s', (cel, expected) => {
    expect(evaluate(cel, values)).toBe(expected)
  })

  it('can be unknown, and can ask whether a feature is known', () => {
    expect(evaluate('users > 1', {})).toBe(undefined)
    expect(evaluate('known(users)', {})).toBe(false)
    expect(evaluate('users > 1 || seats > 1', { seats: 2 })).toBe(true)
  })

  it('keeps its text without the white space around it', () => {
    const model = parse(rules('a:', '  points: 1', '  when: |', '    users > 1', '      && trial', ''))
    expect(model.groups[0]!.rules[0]).toMatchObject({ cases: [{ when: { text: 'users > 1\n  && trial' } }] })
  })

  it('in a trigger can also read score and tier', () => {
    const { triggers } = parse({
      rest: `triggers:
  t: { motion: cross-sell, when: 'score > 3.5 && tier in ["low", "high"]', cooldown: 1d, expiry: 1d, reason: Why }`,
    })
    expect(triggers[0]!.when.expression).toMatchObject({
      left: { left: { type: 'feature', name: 'score' } },
      right: { of: { type: 'feature', name: 'tier' }, list: ['low', 'high'] },
    })
  })
})

describe('a condition is refused, at the exact word, if it', () => {
  const cases: [what: string, marked: string, ...messages: string[]][] = [
    [
      'names no feature',
      'users > 1 && §usres < 3',
      '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
    ],
    [
      'names nothing similar to a feature',
      '§zebra',
      '"zebra" is not a feature; accepted: a name from features; define it under features',
    ],
    [
      'is wrong in several places',
      '§usres > 1 && §saets < 3',
      '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
      '"saets" is not a feature; accepted: a name from features; did you mean "seats"?',
    ],
    [
      'is a number',
      '§users + 1',
      'this gives a number; a condition is true or false; compare it, as in x >= 3',
    ],
    ['is a text', '  §plan', 'this gives a text; a condition is true or false; compare it, as in x >= 3'],
    ['joins a number', 'trial && §users', 'users is a number; && joins conditions; compare it, as in x >= 3'],
    [
      'orders texts',
      '§plan > §"a"',
      'plan is a text; > compares numbers; use one',
      '"a" is a text; > compares numbers; use one',
    ],
    ['calculates with a text', 'users + §"1" > 3', '"1" is a text; + is for numbers; use one'],
    [
      'calculates with a flag',
      '§trial * 2 > 3',
      'trial is a flag (true or false); * is for numbers; use one',
    ],
    [
      'compares two types',
      '§plan == 3',
      'plan is a text and 3 is a number; == compares two of one type; change one of them',
    ],
    [
      'negates a number with !',
      '!§users',
      'users is a number; ! negates a condition; compare it, as in x >= 3',
    ],
    ['negates a text', '-§plan == 3', 'plan is a text; - is for numbers; use one'],
    [
      'has a number before ?',
      '§users ? trial : trial',
      'users is a number; a condition comes before ?; compare it, as in x >= 3',
    ],
    [
      'chooses between two types',
      '(trial ? §users : plan) == 3',
      'users is a number and plan is a text; both sides of : have one type; change one of them',
    ],
    [
      'looks for a text among numbers',
      'plan in ["a", §3]',
      '3 is not accepted in this list; a value that is a text is; change it',
    ],
    [
      'looks in a list of features',
      'users in [1, §seats]',
      'seats is not accepted in this list; a value that is a number is; change it',
    ],
    [
      'looks in an empty list',
      'users in §[]',
      '[] is not a list of values; in takes one; write, for example, ["annual", "monthly"]',
    ],
    [
      'looks in a feature',
      '"a" in §plan',
      'plan is not a list of values; in takes one; write, for example, ["annual", "monthly"]',
    ],
    [
      'has null',
      'users != §null',
      'null is not accepted; a feature without a value is unknown; write known(feature)',
    ],
    ['has bytes', 'plan == §b"a"', 'bytes are not accepted; texts are; remove the b before the quote'],
    [
      'has an unsigned number',
      'users > §3u',
      'unsigned numbers are not accepted; numbers are; remove the u after it',
    ],
    [
      'has a whole number that no double holds',
      'users > §9007199254740993',
      '9007199254740993 is too large; whole numbers up to 9007199254740991 are accepted; write a smaller one',
    ],
    [
      'has has()',
      '§has(users.x)',
      'has() is not accepted; the only function is known(feature); write known(feature)',
    ],
    [
      'has a mistyped known()',
      '§knwon(users)',
      'knwon() is not accepted; the only function is known(feature); did you mean "known"?',
    ],
    [
      'has another function',
      '§size(plan) > 3',
      'size() is not accepted; the only function is known(feature); write it without',
    ],
    [
      'has known() with no feature',
      'known(§usres)',
      '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
    ],
    [
      'has known() with a calculation',
      '§known(users + 1)',
      'known() takes the name of one feature and nothing else; write known(feature)',
    ],
    [
      'has known() with two names',
      '§known(users, seats)',
      'known() takes the name of one feature and nothing else; write known(feature)',
    ],
    [
      'has a method',
      '§plan.startsWith("a")',
      `plan.startsWith("a") is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    [
      'has a regular expression',
      '§plan.matches("(a+)+")',
      `plan.matches("(a+)+") is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    [
      'has a macro',
      '§[1, 2].all(x, x > 1)',
      `[1, 2].all(x, x > 1) is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    [
      'has a map',
      '§{"a": 1} == 3',
      `{"a": 1} is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    ['has a list', '§[1] == 3', `[1] is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`],
    [
      'has an index',
      '§plan[0] == 3',
      `plan[0] is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    [
      'has a remainder',
      '§users % 2 == 0',
      `users % 2 is not accepted in a condition; accepted: ${ACCEPTED}; rewrite it`,
    ],
    [
      'has a no-break space',
      'users§\u00a0> 3',
      `not CEL: unexpected U+00A0; accepted: ${ACCEPTED}; correct it here`,
    ],
    ['has one =', 'users §= 3', `not CEL: unexpected "="; accepted: ${ACCEPTED}; write ==`],
    ['has "and"', 'trial §and users > 3', `not CEL: unexpected "and"; accepted: ${ACCEPTED}; write &&`],
    ['ends too soon', 'users >§', `not CEL: unexpected end; accepted: ${ACCEPTED}; correct it here`],
    [
      'has a text that does not end',
      'plan == §"a',
      `not CEL: unterminated string; accepted: ${ACCEPTED}; correct it here`,
    ],
    [
      'has a reserved word',
      '§while > 3',
      `not CEL: reserved identifier: while; accepted: ${ACCEPTED}; correct it here`,
    ],
    [
      'reads score outside of a trigger',
      '§score > 3',
      'score is a variable in triggers and alerts only; features are accepted here; move it there',
    ],
    [
      'reads tier outside of a trigger',
      '§tier == "low"',
      'tier is a variable in triggers and alerts only; features are accepted here; move it there',
    ],
  ]
  it.each(cases)('%s: %s', (_, marked, ...messages) => {
    // The text goes into a single-quoted YAML scalar, with its marks.
    expectRefused(rules(`a: { when: '${marked}', points: 1 }`), ...messages)
  })

  it('compares tier with a text that is no tier', () => {
    const trigger = (when: string) => ({
      rest: `triggers:\n  t: { motion: cross-sell, when: '${when}', cooldown: 1d, expiry: 1d, reason: Why }`,
    })
    expectRefused(
      trigger('tier == §"hihg"'),
      '"hihg" is not a tier; accepted: low, high; did you mean "high"?',
    )
    expectRefused(trigger('§"x" != tier'), '"x" is not a tier; accepted: low, high; name one of these')
    expectRefused(
      trigger('tier in ["low", §"lo"]'),
      '"lo" is not a tier; accepted: low, high; did you mean "low"?',
    )
    expectRefused(
      trigger('§known(score)'),
      'known() takes the name of one feature and nothing else; write known(feature)',
    )
  })

  describe('is too long, too large or too deep', () => {
    const large =
      'this condition is too large; at most 32 levels of nesting and 200 parts are accepted; split it'
    const deep = 'nested more than 32 levels deep; fewer are accepted; split the condition'
    const nested = (levels: number) => `${'('.repeat(levels)}users > 1${')'.repeat(levels)}`
    const condition = (cel: string) => modelText(rules(`a: { when: ${JSON.stringify(cel)}, points: 1 }`))

    it.each([
      ['2,000 characters', 'users > 1'.padEnd(2000)],
      ['31 levels of parentheses', nested(31)],
      ['32 levels of operators', `${'!'.repeat(31)}trial`],
      ['a chain of 32 operands', Array(32).fill('trial').join(' && ')],
      ['a list of 197', `users in [${Array(197).fill(1)}]`],
    ])('but not with %s', (_, cel) => {
      expect(() => parseModel(condition(cel), 'small.yaml')).not.toThrow()
    })

    it.each([
      [
        '2,001 characters',
        'users > 1'.padEnd(2001),
        /of 2001 characters; accepted: a condition in CEL .* at most 2000/,
      ],
      ['32 levels of parentheses', nested(32), large],
      ['900 levels of parentheses', nested(900), large],
      ['33 levels of operators', `${'!'.repeat(32)}trial`, deep],
      ['2,000 levels of operators', `${'!'.repeat(1995)}trial`, large],
      ['a chain of 33 operands', Array(33).fill('trial').join(' && '), deep],
      ['a list of 198', `users in [${Array(198).fill(1)}]`, large],
    ])('with %s', (_, cel, message) => {
      const messages = new Set(errorOf(condition(cel)).problems.map(problem => problem.message))
      expect([...messages]).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)])
    })
  })
})
