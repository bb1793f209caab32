import { describe, expect, it } from 'vitest'
import {
  errorOf,
  expectRefused,
  FEATURE_KINDS,
  features,
  modelText,
  problemsOf,
  rules,
} from './model-text.ts'

const CORRECT = 'correct it here; a text with ": " or " #" in it, or a quote in front, goes in quotes'

/** The messages alone, for texts where positions do not matter. */
function messagesOf(text: string): string[] {
  return errorOf(text).problems.map(problem => problem.message)
}

describe('what is not YAML is refused:', () => {
  it.each([
    [
      'a bracket that is not closed',
      'id: [a\n§',
      `flow sequence in block collection must be sufficiently indented and end with a ]`,
    ],
    ['a tab as indentation', 'a:\n§\tb: 1', 'tabs are not allowed as indentation'],
    ['a quote in front of a condition', 'when: "a" §== plan', 'unexpected scalar at node end'],
    ['a key that is a list', '? §[a]\n: 1', 'with stringKeys, all keys must be strings'],
  ])('%s', (_, marked, message) => {
    expectRefused(marked, `not YAML: ${message}; ${CORRECT}`)
  })

  it('two documents', () => {
    expectRefused(
      `${modelText()}\n§---\n${modelText()}`,
      'found a second document; a file holds one model; remove the ---, or put it into a file of its own',
    )
  })

  it('with at most 20 problems', () => {
    expect(problemsOf(']'.repeat(1000))).toHaveLength(20)
  })
})

describe('YAML that a model may not use is refused:', () => {
  it('an empty text', () => {
    for (const text of ['', '# nothing\n', '---\n', 'null']) {
      expect(messagesOf(text)).toEqual([
        expect.stringMatching(/^found nothing; accepted: one version of an Upswell/),
      ])
    }
  })

  it('keys given twice', () => {
    expectRefused(
      {
        score: 'score: { scale: 10, max: 100, §scale: 1 }',
        head: 'id: small\nversion: 1\nname: Small\n§id: small',
      },
      'the key "id" is given twice; a key is given once; delete one of them',
      'the key "scale" is given twice; a key is given once; delete one of them',
    )
  })

  it('__proto__, wherever it is', () => {
    expectRefused(
      {
        head: 'id: small\nversion: 1\nname: Small\n§__proto__: { polluted: true }',
        ...features(
          'users: { distinctUsers: { within: 30d } }',
          'trial: { latest: traits.x }',
          '§__proto__: { latest: traits.x }',
        ),
      },
      'found the key "__proto__"; it is never accepted; remove it',
      'found the key "__proto__"; it is never accepted; remove it',
    )
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined)
  })

  it('names that every JavaScript object has', () => {
    expectRefused(
      {
        ...features('§constructor: { latest: contract.seats }', '§toString: { latest: contract.seats }'),
        ...rules('§valueOf: { when: toString > 3, points: 1 }'),
        tiers: 'tiers: [{ name: §constructor, from: 0 }]',
        rest: 'gates: { §isPrototypeOf: { open: toString > 1, missing: open } }',
      },
      ...['constructor', 'toString', 'valueOf', 'constructor', 'isPrototypeOf'].map(
        name =>
          `found the name "${name}", which is a reserved word; any other name is accepted; choose another`,
      ),
    )
  })

  it('tags', () => {
    expectRefused(
      {
        head: 'id: small\nversion: !!int §1\nname: !x §Small',
        tiers: 'tiers: !!seq §[{ name: a, from: 0 }]',
      },
      ...['tag:yaml.org,2002:int', '!x', 'tag:yaml.org,2002:seq'].map(
        tag => `found the tag "${tag}"; no tags are accepted; remove it`,
      ),
    )
  })

  it('aliases without an anchor, and more than 20 of them', () => {
    expectRefused(
      { tiers: 'tiers: §*tiers' },
      'the alias *tiers has no anchor before it; write &tiers at the value',
    )
    const steps = (count: number) =>
      modelText({
        rest: `triggers:
  a: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: &r Why, play: [${Array(count).fill('*r')}] }`,
      })
    expect(() => errorOf(steps(20))).toThrow('the model was accepted')
    expect(problemsOf(steps(21))).toEqual([
      'small.yaml:18:150: more than 20 aliases, expanded; write the values out',
    ])
  })

  it('aliases that multiply the file', () => {
    const layers = 'abcdefghi'
      .split('')
      .map((name, i, all) => `${name}: &${name} [${Array(9).fill(i === 0 ? 'x' : `*${all[i - 1]}`)}]`)
    const messages = messagesOf(layers.join('\n'))
    expect(messages).toContain('more than 20 aliases, expanded; write the values out')
    expect(messagesOf('a: &a [*a]')).toContain('more than 20 aliases, expanded; write the values out')
  })

  it('more than 40,000 values', () => {
    expect(messagesOf(`a: [${Array(40_001).fill(0)}]`)).toContain(
      'more than 40000 values, aliases expanded; split the model',
    )
  })

  it('more than 256 KiB, whatever the content', () => {
    const text = modelText().padEnd(256 * 1024, '\n')
    expect(() => errorOf(text)).toThrow('the model was accepted')
    expect(problemsOf(`${text}\n`)).toEqual([
      'small.yaml:1:1: larger than 256 KiB; a model is at most that; split it',
    ])
    expect(problemsOf(`${text.slice(0, -1)}é`)).toEqual([
      'small.yaml:1:1: larger than 256 KiB; a model is at most that; split it',
    ])
  })

  // "[" 100,000 times ends a Node 20 process if the YAML composer gets it.
  it.each(['[', '{a: ', '- ', '? ', '[a, {b: ', '&a [', 'a:\n', '\t', '"', '*a ', '{}'])(
    'repeats without end: %j',
    { timeout: 60_000 },
    repeated => {
      expect(
        messagesOf(repeated.repeat((repeated === '[' ? 100_000 : 30_000) / repeated.length)).length,
      ).toBeGreaterThan(0)
    },
  )

  it('with at most 200 problems', () => {
    const messages = messagesOf(`${modelText()}\n${'id: a\n'.repeat(300)}`)
    expect(messages).toHaveLength(201)
    expect(messages[200]).toBe('and 100 more problems from here on; correct the ones above first')
  })

  it('nesting of more than 40 levels, at the position where it gets too deep', () => {
    expect(problemsOf(`a: ${'['.repeat(60)}${']'.repeat(60)}`)).toEqual([
      'small.yaml:1:44: nested more than 40 levels deep; a model needs 9',
    ])
  })
})

describe('the form is checked:', () => {
  const NAMES = "a feature's name: a lower-case letter, then letters and digits, as in activeUsers"
  const WINDOW =
    'a lookback window: days up to 400d (30d is today and the 29 days before it), or hours up to 48h'
  const DAYS = 'a number of days up to 400d'
  const SPAN = 'a length of time in days, hours or minutes, at most 1000d: 30d, 36h, 15m'
  const KEY = 'a latest value: traits, health or contract, a dot, and the property: contract.seats'

  it('required keys', () => {
    expectRefused(
      '§§§§§§§§a: 1',
      "the scoring model has no id; it needs one: the model's id, the same in every version: lower-case words joined by hyphens; add it",
      'the scoring model has no version; it needs one: a whole number from 1 up; add it',
      "the scoring model has no name; it needs one: the model's name, for people; add it",
      "the scoring model has no score; it needs one: how the groups' points become the score: scale × the sum of weight × points, rounded halves up, cut to min and max; add it",
      'the scoring model has no features; it needs one: what the model reads, by name; add it',
      "the scoring model has no groups; it needs one: the score's parts, by name: each has a weight, a cap and rules; add it",
      'the scoring model has no tiers; it needs one: the tiers, from the lowest to the highest; add it',
      '"a" is not a key of a scoring model; accepted: id, version, name, score, features, groups, tiers, tierPolicy, gates, triggers, alerts, accounts, facets, rates, kpis, examples; remove it',
    )
  })

  it('ids, versions and names', () => {
    expectRefused(
      { head: 'id: §Small Model\nversion: §1.5\nname: §7' },
      'found "Small Model"; accepted: the model\'s id, the same in every version: lower-case words joined by hyphens; write, for example, "expansion-revenue-score"',
      'found 1.5; accepted: a whole number from 1 up; write, for example, 1',
      'found 7; accepted: the model\'s name, for people (a text); write, for example, "Expansion Revenue Score"',
    )
  })

  it('numbers', () => {
    expectRefused(
      { score: 'score: { scale: §0, max: §.inf, decimals: §7 }' },
      "found 0; accepted: the weighted sum of the groups' points is multiplied by this (more than 0); write, for example, 10",
      'found Infinity; accepted: the highest score there is (a number); write, for example, 100',
      'found 7; accepted: digits after the point that a score keeps, 0 to 6 (at most 6); change it',
    )
    expectRefused(
      rules('a: { line: { of: users, corners: [[§.nan, 1], [2, §"3"]] } }'),
      'found NaN; accepted: a number that a feature is compared with; write, for example, 0.8',
      'found "3"; accepted: a number that a feature is compared with; write, for example, 0.8',
    )
  })

  it('an empty value, reported at its key', () => {
    expectRefused(
      { head: 'id: small\nversion: 1\n§name:' },
      'found nothing; accepted: the model\'s name, for people (a text); write, for example, "Expansion Revenue Score"',
    )
  })

  it('names of features and of everything else', () => {
    expectRefused(
      {
        ...features('§Seats: { latest: contract.seats }', '§active-users: { latest: contract.seats }'),
        ...rules('§many_users: { when: known(Seats), points: 1 }'),
      },
      `found "Seats"; accepted: ${NAMES}; write, for example, "activeUsers"`,
      `found "active-users"; accepted: ${NAMES}; write, for example, "activeUsers"`,
      'found "many_users"; accepted: a name: a lower-case letter, then letters, digits and single hyphens, as in seats-nearly-full; write, for example, "seats-nearly-full"',
    )
  })

  it('features of no kind or of two kinds', () => {
    expectRefused(
      features(
        '§a: {}',
        '§b: { ratio: [a, a], largest: [a, c] }',
        'c: { latest: traits.x }',
        'users: { latest: traits.y }',
      ),
      `the feature a has none of them; it needs exactly one of ${FEATURE_KINDS}; add one`,
      `the feature b has ratio and largest; it needs exactly one of ${FEATURE_KINDS}; keep one`,
    )
  })

  it('windows, days and durations', () => {
    expectRefused(
      {
        ...features(
          'a: { count: { within: §30 } }',
          'b: { count: { within: §30x } }',
          'c: { count: { within: §0d } }',
          'd: { distinctUsers: { within: §24h } }',
          'e: { latest: traits.x, within: §24h }',
          'f: { count: { within: §401d } }',
          'g: { count: { within: §49h } }',
          'h: { growth: { of: traits.x, within: §400d } }',
          'i: { growth: { count: {}, within: §201d } }',
        ),
        ...rules('r: { when: a > 1, points: 1 }'),
        rest: `tierPolicy: { dwell: §1.5d }
triggers:
  t: { motion: cross-sell, when: a > 1, cooldown: §1001d, expiry: §0h, reason: Why }
  u: { motion: cross-sell, when: a > 1, cooldown: §1w, expiry: 1h, reason: Why }
  v: { motion: cross-sell, when: a > 1, cooldown: §59m, expiry: 1h, reason: Why }`,
      },
      `found 30; accepted: ${WINDOW} (a text); write, for example, "30d"`,
      `found "30x"; accepted: ${WINDOW}; write, for example, "30d"`,
      `found "0d"; accepted: ${WINDOW}; write, for example, "30d"`,
      `found "24h"; accepted: ${DAYS}; write, for example, "30d"`,
      `found "24h"; accepted: ${DAYS}; write, for example, "30d"`,
      'found 401d; activity is kept for 400d; use a shorter one',
      'found 49h; activity is kept by the hour for 48h; use days',
      'found 400d; at most 399d is accepted here; use a shorter one',
      'found 201d; at most 200d is accepted here; use a shorter one',
      `found "1.5d"; accepted: ${SPAN}; write, for example, "30d"`,
      'found 1001d; at most 1000d is accepted; use a shorter one',
      'found 0h; at least 1h is accepted; use a longer one',
      `found "1w"; accepted: ${SPAN}; write, for example, "30d"`,
      'found 59m; at least 1h is accepted; use a longer one',
    )
  })

  it('kinds, names and keys of signals', () => {
    expectRefused(
      {
        ...features(
          'a: { count: { of: §usag, within: 1d } }',
          'b: { count: { of: [intent, §intnet], within: 1d } }',
          'c: { count: { of: [usage, §usage], within: 1d } }',
          'd: { count: { of: §[], within: 1d } }',
          'e: { count: { names: §"*", within: 1d } }',
          'f: { count: { names: [a, §a*b], within: 1d } }',
          'g: { latest: §seats }',
          'h: { latest: §usage.x }',
          'i: { distinctValues: { of: §teem, within: 1d } }',
          'j: { daysUntil: { date: traits.x, every: §month } }',
          'k: { latest: traits.x, type: §string }',
        ),
        ...rules('r: { when: a > 1, points: 1 }'),
      },
      'found "usag"; accepted: usage, intent, outcome; did you mean "usage"?',
      'found "intnet"; accepted: usage, intent, outcome; did you mean "intent"?',
      'found "usage" twice; each is given once; delete one of them',
      'found a list of 0; accepted: a list of kinds (at least 1); change it',
      'found "*"; accepted: a signal\'s name, or the beginning of one followed by *: api.called, feature.*; write, for example, "feature.*"',
      'found "a*b"; accepted: a signal\'s name, or the beginning of one followed by *: api.called, feature.*; write, for example, "feature.*"',
      `found "seats"; accepted: ${KEY}; write, for example, "contract.seats"`,
      `found "usage.x"; accepted: ${KEY}; write, for example, "contract.seats"`,
      'found "teem"; accepted: team, location, product, role; did you mean "team"?',
      'found "month"; accepted: year; write one of these',
      'found "string"; accepted: number, text, flag; write one of these',
    )
  })

  it('keys that go together', () => {
    expectRefused(
      {
        ...features('seats: { ratio: [users, users], §type: text }', 'users: { latest: traits.x }'),
        ...rules(
          'a: { §bands: [{ from: 1, points: 1 }] }',
          'b: { line: { of: users, corners: [[0, 1]] }, §below: 1 }',
          'c: { §when: users > 1 }',
          'd: { cases: [{ §when: users > 1 }, { otherwise: 1 }] }',
          'e: { cases: [{ §points: 1 }, §{ when: users > 1, points: 1, otherwise: 1 }] }',
          'f: { of: users, bands: [§{ points: 1 }, §{ from: 1, above: 1, points: 1 }] }',
        ),
      },
      'the feature seats has type without latest; they go together; add latest or remove type',
      'the rule a has bands without of; they go together; add of or remove bands',
      'the rule b has below without bands; they go together; add bands or remove below',
      'the rule c has when without points; they go together; add points or remove when',
      'the case cases[0] has when without points; they go together; add points or remove when',
      'the case cases[0] has points without when; they go together; add when or remove points',
      'the case cases[1] has when and otherwise; it needs exactly one of when, otherwise; keep one',
      'the band bands[0] has none of them; it needs exactly one of from, above; add one',
      'the band bands[1] has from and above; it needs exactly one of from, above; keep one',
    )
  })

  it('the points for a missing value', () => {
    const accepted =
      "a number of points, or exclude: the rule is left out and the group's other rules are scaled up"
    expectRefused(
      rules(
        'a: { when: users > 1, points: 3, missing: §skip }',
        'b: { when: users > 1, points: 3, missing: §4 }',
      ),
      `found "skip"; accepted: ${accepted}; write, for example, "exclude"`,
      'found 4 points for a missing value, and the rule gives at most 3; at most that is accepted; lower one or raise the other',
    )
  })

  it('a block of keys in the place of a word', () => {
    expectRefused(
      features('a: { latest: traits.x, type: §{ b: 1 } }', 'users: { distinctUsers: { within: 30d } }'),
      'found a block of keys; accepted: number, text, flag; write one of these',
    )
  })

  it('motions, with the nearest name', () => {
    expectRefused(
      { rest: 'triggers: { t: { motion: §crosssell, when: trial, cooldown: 1d, expiry: 1d, reason: Why } }' },
      'found "crosssell"; accepted: seat-expansion, plan-upgrade, cross-sell, feature-expansion, usage-upsell, renewal-upgrade; did you mean "cross-sell"?',
    )
  })
})

describe('references between parts are checked:', () => {
  it('features that do not exist, are not numbers, or read themselves', () => {
    expectRefused(
      {
        ...features(
          'plan: { latest: contract.plan, type: text }',
          'users: { distinctUsers: { within: 30d } }',
          'a: { ratio: [§usres, §plan] }',
          '§b: { largest: [c, users] }',
          'c: { smallest: [d, users] }',
          'd: { ratio: [b, users] }',
          '§e: { ratio: [e, users] }',
        ),
        ...rules(
          'r: { of: §plan, bands: [{ from: 1, points: 1 }] }',
          's: { line: { of: §plans, corners: [[1, 1]] } }',
        ),
      },
      '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
      'plan is a text; accepted: a feature that is a number; use cases for it',
      'b → c → d → b is a cycle; a feature may not read itself; break it',
      'e → e is a cycle; a feature may not read itself; break it',
      'plan is a text; accepted: a feature that is a number; use cases for it',
      '"plans" is not a feature; accepted: a name from features; did you mean "plan"?',
    )
  })

  it('reserved names of features', () => {
    expectRefused(
      {
        ...features('§score: { latest: traits.x }', '§in: { latest: traits.x }', 'a: { latest: traits.x }'),
        ...rules('r: { when: a > 1, points: 1 }'),
      },
      'found the name "score", which is a reserved word; any other name is accepted; choose another',
      'found the name "in", which is a reserved word; any other name is accepted; choose another',
    )
  })

  it('dates whose range is empty', () => {
    expectRefused(
      {
        ...features(
          'a: { daysUntil: { date: traits.x, from: 10, to: §10 } }',
          'b: { daysSince: { date: traits.x, from: §400 } }',
        ),
        ...rules('r: { when: a > 1, points: 1 }'),
      },
      'found from 10 to 10; accepted: to above from; swap them or change one',
      'found from 400 to 400; accepted: to above from; swap them or change one',
    )
  })

  it('corners, bands and cases out of order', () => {
    expectRefused(
      rules(
        'a: { line: { of: users, corners: [[0, 1], [§0, 2]] } }',
        'b: { of: users, bands: [{ from: 1, points: 1 }, { from: §1, points: 2 }] }',
        'c: { of: users, bands: [{ above: 1, points: 1 }, { from: §1, points: 2 }, { from: §0, points: 2 }] }',
        'd: { cases: [{ §otherwise: 1 }, { when: trial, points: 2 }] }',
        'e: { when: trial, points: { line: { of: users, corners: [[1, 1], [§-1, 2]] } } }',
      ),
      'found 0 after 0; each corner is above the one before; sort them, or use cases for a jump',
      'found from 1 after from 1; each band is above the one before; sort them',
      'found from 1 after above 1; each band is above the one before; sort them',
      'found from 0 after from 1; each band is above the one before; sort them',
      'found otherwise before other cases; only the last case may have it; move it',
      'found -1 after 1; each corner is above the one before; sort them, or use cases for a jump',
    )
  })

  it('groups that can give no points, and rules with the same name', () => {
    expectRefused(
      {
        groups: `groups:
  §one: { weight: 1, max: 10, rules: { a: { when: trial, points: 0 }, b: { when: trial, points: -5 } } }
  two: { weight: 1, max: 10, rules: { §a: { when: trial, points: 5 } } }`,
      },
      'no rule of one can give more than 0 points; a group needs one that can; add points to a rule',
      "the rule a is also groups.one.rules.a; a rule's name is used once; choose another",
    )
  })

  it('scores and tiers that do not fit together', () => {
    expectRefused(
      { score: 'score: { scale: 1, min: 5, max: §5 }', tiers: 'tiers: [{ name: a, from: 5 }]' },
      'found max 5 and min 5; accepted: max above min; raise max',
    )
    expectRefused(
      {
        tiers:
          'tiers: [{ name: a, from: §1 }, { name: b, from: §1 }, { name: §a, from: §101 }, { name: c, from: §50 }]',
      },
      'the lowest tier is from 1, and scores begin at 0; it holds all the lowest scores; write from: 0',
      'found from 1 after 1; each tier is above the one before; sort them',
      "the tier a is also tiers[0]; a tier's name is used once; choose another",
      'the tier a is from 101, and scores end at 100; at most that is accepted; lower it',
      'found from 50 after 101; each tier is above the one before; sort them',
    )
  })

  it('gates that do not exist, and reasons with unknown placeholders', () => {
    expectRefused(
      {
        rest: `gates: { health: { open: seats > 1, missing: open } }
triggers:
  t:
    motion: cross-sell
    when: users > 1 && plan == "x"
    gates: [health, §helth]
    cooldown: 1d
    expiry: 1d
    reason: "{users} {users%} {§usres} {§plan%} §{ {§seats}§}"`,
      },
      '"helth" is not a gate; accepted: health; did you mean "health"?',
      '"usres" is not a feature; accepted: a name from features; did you mean "users"?',
      'plan is not a number; {feature%} takes one; write {plan}',
      'found a single {; accepted: {feature} and {feature%}; close it or remove it',
      'seats is not in when; a reason shows only features that when reads; put it there, as in && known(seats), or remove it',
      'found a single }; accepted: {feature} and {feature%}; close it or remove it',
    )
  })

  it('a gate in a model without gates', () => {
    expectRefused(
      {
        rest: 'triggers: { t: { motion: cross-sell, when: trial, gates: [§g], cooldown: 1d, expiry: 1d, reason: Why } }',
      },
      '"g" is not a gate; accepted: none, as the model has no gates; define it under gates',
    )
  })
})
