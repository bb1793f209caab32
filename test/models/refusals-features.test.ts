import { describe, it } from 'vitest'
import { expectRefused, FEATURE_KEYS, features, rules } from './model-text.ts'

const KEY = 'a latest value: traits, health or contract, a dot, and the property: contract.seats'
const RULE = rules('r: { when: n > 1, points: 1 }')
const N = 'n: { latest: traits.n }'

describe('features are refused with', () => {
  it('half-lives that do not fit their window', () => {
    expectRefused(
      {
        ...features(
          N,
          'a: { count: { within: 90d, halfLife: §12h } }',
          'b: { sum: { within: 24h, halfLife: §1d } }',
          'c: { count: { within: 90d, halfLife: §401d } }',
          'd: { count: { within: 48h, halfLife: §49h } }',
          'e: { count: { within: 90d, halfLife: §0d } }',
          'f: { activeDays: { within: 90d, §halfLife: 5d } }',
        ),
        ...RULE,
      },
      "found 12h beside a window in days; a half-life has the window's unit; write days",
      "found 1d beside a window in hours; a half-life has the window's unit; write hours",
      'found 401d; activity is kept for 400d; use a shorter one',
      'found 49h; activity is kept by the hour for 48h; use days',
      'found "0d"; accepted: a lookback window: days up to 400d (30d is today and the 29 days before it), or hours up to 48h; write, for example, "30d"',
      '"halfLife" is not a key of a selection of signals in a window; accepted: of, names, except, within; remove it',
    )
  })

  it('excluded names of the wrong form', () => {
    expectRefused(
      {
        ...features(
          N,
          'a: { count: { within: 90d, except: §a*b } }',
          'b: { count: { within: 90d, except: [a, §a] } }',
          'c: { growth: { count: { §excpt: [a] }, within: 90d } }',
        ),
        ...RULE,
      },
      'found "a*b"; accepted: a signal\'s name, or the beginning of one followed by *: api.called, feature.*; write, for example, "feature.*"',
      'found "a" twice; each is given once; delete one of them',
      '"excpt" is not a key of a selection of signals; accepted: of, names, except; did you mean "except"?',
    )
  })

  it('more days of power users than the window has', () => {
    expectRefused(
      {
        ...features(
          N,
          'a: { powerUsers: { days: §8, within: 7d } }',
          'b: { powerUsers: { days: 8, within: §31d } }',
          'c: { powerUsers: { days: §0, within: 30d } }',
          'd: { §powerUsers: { within: 30d } }',
        ),
        ...RULE,
      },
      'found 8 days of 7; at most all days of the window are accepted; lower days or raise within',
      'found 31d; at most 30d is accepted here; use a shorter one',
      'found 0; accepted: on at least so many days, 1 to the whole window (at least 1); write, for example, 12',
      'the power users powerUsers has no days; it needs one: on at least so many days, 1 to the whole window; add it',
    )
  })

  it('no level, or two levels', () => {
    expectRefused(
      {
        ...features(
          N,
          'a: { §daysSustained: { of: traits.x } }',
          'b: { §daysSustained: { of: traits.x, above: 1, from: 1 } }',
          'c: { daysSustained: { of: §usage.x, above: 1, to: §401 } }',
          'd: { §§periodsSustained: { every: 30d, to: 3 } }',
          'e: { periodsSustained: { count: {}, every: 30d, above: §0, to: 3 } }',
          'f: { periodsSustained: { sum: {}, every: 30d, from: §-1, to: 3 } }',
          'g: { periodsSustained: { sum: {}, every: 30d, from: 1, to: §14 } }',
          'h: { periodsSustained: { sum: {}, every: §401d, from: 1, to: 1 } }',
          'i: { §periodsSustained: { sum: {}, every: 30d, from: 1 } }',
        ),
        ...RULE,
      },
      'the days sustained daysSustained has none of them; it needs exactly one of above, from; add one',
      'the days sustained daysSustained has above and from; it needs exactly one of above, from; keep one',
      `found "usage.x"; accepted: ${KEY}; write, for example, "contract.seats"`,
      'found 401; accepted: the highest value: more days count as this (at most 400); change it',
      'the periods sustained periodsSustained has none of them; it needs exactly one of count, sum; add one',
      'the periods sustained periodsSustained has none of them; it needs exactly one of above, from; add one',
      "found 0; accepted: a number above 0 that a period's value is compared with (more than 0); write, for example, 0.8",
      "found -1; accepted: a number above 0 that a period's value is compared with (more than 0); write, for example, 0.8",
      'found 14 periods of 30 days; activity is kept for 400 days; at most 13 is accepted here; lower it',
      'found 401d; activity is kept for 400d; use a shorter one',
      'the periods sustained periodsSustained has no to; it needs one: the highest value: more periods count as this; add it',
    )
  })

  it('keys and defaults of the wrong form', () => {
    expectRefused(
      {
        ...features(
          N,
          'a: { knownKeys: { of: §usage.* } }',
          'b: { knownKeys: { of: §traits.*x } }',
          'c: { latest: traits.x, default: §"5" }',
          'd: { latest: traits.x, type: flag, default: §0 }',
          'e: { latest: traits.x, type: text, default: §[a] }',
          'f: { ratio: [n, n], §default: 5 }',
        ),
        ...RULE,
      },
      ...['"usage.*"', '"traits.*x"'].map(
        found =>
          `found ${found}; accepted: a latest value, or the beginning of some followed by *: traits.stakeholder.*, traits.owns.crm; write, for example, "traits.stakeholder.*"`,
      ),
      'found "5"; c is a number; its default has the same type; change the default or the type',
      'found 0; d is a flag (true or false); its default has the same type; change the default or the type',
      'found a list of 1; accepted: a number, a text, true or false; write, for example, 5',
      'the feature f has default without latest; they go together; add latest or remove default',
    )
  })
})

describe('formulas of features are refused with', () => {
  it('unknown features, types that do not fit, and texts that are not CEL', () => {
    expectRefused(
      {
        ...features(
          N,
          'plan: { latest: traits.plan, type: text }',
          'a: { formula: n / §nn }',
          'b: { formula: n * §plan }',
          'c: { formula: §score + §tier }',
          'd: { formula: n §and n }',
          'e: { formula: "§[1, 2]" }',
          'f: { formula: §true }',
        ),
        ...RULE,
      },
      '"nn" is not a feature; accepted: a name from features; did you mean "n"?',
      'plan is a text; * is for numbers; use one',
      'score is a variable in triggers and alerts only; features are accepted here; move it there',
      'tier is a variable in triggers and alerts only; features are accepted here; move it there',
      'not CEL: unexpected "and"; accepted: features, numbers, texts, && || !, comparisons, + - * /, in [...], ? : and known(feature); write &&',
      '[1, 2] is not accepted in a formula; accepted: features, numbers, texts, && || !, comparisons, + - * /, in [...], ? : and known(feature); rewrite it',
      'found true; accepted: a formula in CEL, of at most 2000 characters, or a number (a text); write, for example, "featuresUsed / availableFeatures * 100"',
    )
  })

  it('a type that does not fit where the formula is read', () => {
    expectRefused(
      {
        ...features(
          N,
          'isLarge: { formula: n > 5 }',
          'size: { formula: "isLarge ? \\"large\\" : \\"small\\"" }',
          'a: { ratio: [n, §isLarge] }',
          'b: { formula: §size + 1 }',
        ),
        ...rules('r: { when: §size, points: 1 }', 's: { line: { of: §size, corners: [[0, 1]] } }'),
      },
      'isLarge is a flag (true or false); accepted: a feature that is a number; use cases for it',
      'size is a text; + is for numbers; use one',
      'this gives a text; a condition is true or false; compare it, as in x >= 3',
      'size is a text; accepted: a feature that is a number; use cases for it',
    )
  })

  it('cycles', () => {
    expectRefused(
      {
        ...features(
          N,
          '§a: { formula: b + 1 }',
          'b: { ratio: [c, n] }',
          'c: { formula: a * 2 }',
          '§d: { formula: d }',
        ),
        ...RULE,
      },
      'a → b → c → a is a cycle; a feature may not read itself; break it',
      'd → d is a cycle; a feature may not read itself; break it',
    )
  })

  it('too many parts', () => {
    const sum = Array(150).fill('n').join(' + ')
    expectRefused(
      { ...features(N, `a: { formula: §${sum} }`), ...RULE },
      'this formula is too large; at most 32 levels of nesting and 200 parts are accepted; split it',
    )
  })

  it('problems of their own, also when the feature is malformed', () => {
    expectRefused(
      { ...features(N, 'a: { formula: §nn, §witin: 3d }'), ...RULE },
      '"nn" is not a feature; accepted: a name from features; did you mean "n"?',
      `"witin" is not a key of a feature; accepted: ${FEATURE_KEYS}; did you mean "within"?`,
    )
  })
})

describe('points for each one are refused with', () => {
  it('texts, zeros, extreme ratios, and missing or conflicting keys', () => {
    expectRefused(
      rules(
        'a: { each: { of: §plan, points: 2, max: 10 } }',
        'b: { each: { of: users, points: §0, max: §0 } }',
        'c: { each: { of: users, points: §1e-320, max: 1000 } }',
        'd: { §each: { of: users, points: 1 } }',
        '§e: { each: { of: users, points: 1, max: 3 }, when: trial, points: 1 }',
      ),
      'plan is a text; accepted: a feature that is a number; use cases for it',
      'found 0; accepted: the points for each one (more than 0); write, for example, 2',
      'found 0; accepted: the most points that all of them give (more than 0); write, for example, 10',
      'found 1e-320 points each up to 1000, which no number can reach; choose points and max that are closer to each other',
      'the points each each has no max; it needs one: the most points that all of them give; add it',
      'the rule e has each and when; it needs exactly one of line, bands, cases, each, when; keep one',
    )
  })
})
