import { describe, expect, it } from 'vitest'
import { expectRefused, modelText, problemsOf } from './model-text.ts'

const KEY = 'a latest value: traits, health or contract, a dot, and the property: contract.seats'
const IDENTIFIER = 'a name: a lower-case letter, then letters and digits, as in daysToClose'

function triggerWith(more: string) {
  return `triggers: { t: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why, ${more} } }`
}

describe('triggers and tiers are refused with', () => {
  it('a confidence or value that is not a number, or a queue that is not a name', () => {
    expectRefused(
      {
        tiers: 'tiers: [{ name: low, from: 0, queue: §My Queue }, { name: high, from: 50 }]',
        rest: triggerWith('confidence: §trial, value: users * §sets + §plan'),
      },
      'found "My Queue"; accepted: whose work list its accounts go to: lower-case words joined by hyphens; write, for example, "expansion"',
      'this gives a flag (true or false); this formula is a number; calculate one, as in x ? 1 : 0',
      '"sets" is not a feature; accepted: a name from features; did you mean "seats"?',
      'plan is a text; + is for numbers; use one',
    )
  })
})

describe('alerts are refused with', () => {
  it('wrong conditions, gates, reasons and durations', () => {
    expectRefused(
      {
        rest: `gates: { health: { open: seats > 1, missing: open } }
alerts:
  a:
    when: users > 1 && §usrs > 2 && tier == §"hihg"
    gates: [§helth]
    frequency: §59m
    reason: "{users} {§plam}"
    recipients: [csm]
  b: { when: users > 1, frequency: §401d, reason: "{§seats}", recipients: [] }
  §valueOf: { when: trial, frequency: 1d, reason: Why, recipients: [] }`,
      },
      '"usrs" is not a feature; accepted: a name from features; did you mean "users"?',
      '"hihg" is not a tier; accepted: low, high; did you mean "high"?',
      '"helth" is not a gate; accepted: health; did you mean "health"?',
      'found 59m; at least 1h is accepted; use a longer one',
      '"plam" is not a feature; accepted: a name from features; did you mean "plan"?',
      'found 401d; at most 400d is accepted; use a shorter one',
      'seats is not in when; a reason shows only features that when reads; put it there, as in && known(seats), or remove it',
      'found the name "valueOf", which is a reserved word; any other name is accepted; choose another',
    )
  })

  it('the wrong form', () => {
    expectRefused(
      {
        rest: `alerts:
  a: { when: trial, frequency: 7d, reason: Why, recipients: [csm, §csm] }
  b: { when: trial, frequency: 7d, reason: Why, recipients: [§"", x], priority: §hihg }
  §c: { when: §users, reason: Why }`,
      },
      'found "csm" twice; each is given once; delete one of them',
      'found ""; accepted: a text of 1 to 200 characters (at least 1 characters); write, for example, "Sales Analytics"',
      'found "hihg"; accepted: low, medium, high, urgent; did you mean "high"?',
      'the alert c has no frequency; it needs one: no more often than this, from 1h to 400d: 7d; add it',
      'this gives a number; a condition is true or false; compare it, as in x >= 3',
    )
  })
})

describe('accounts are refused with', () => {
  it('no content, ids of the wrong form, and conditions on the score', () => {
    expectRefused(
      {
        rest: `accounts: { include: §{}, exclude: { when: §score > 3, ids: [§7, ${'é'.repeat(300)}] } }`,
      },
      'found a block of keys with 0 entries; accepted: accounts by condition, by id, or both (at least 1); write, for example, {"when":"plan != \\"free\\""}',
      'score is a variable in triggers and alerts only; features are accepted here; move it there',
      `found 7; accepted: an account's id, a text of 1 to 512 bytes; write, for example, "acme"`,
    )
    expectRefused(
      {
        rest: `accounts: { include: { ids: [a, §${'é'.repeat(300)}] }, exclude: { when: §users, ids: [a, §a] } }`,
      },
      "found an account's id of 600 bytes in UTF-8; at most 512 are accepted; correct it",
      'this gives a number; a condition is true or false; compare it, as in x >= 3',
      'found "a" twice; each is given once; delete one of them',
    )
    expectRefused(
      { rest: 'accounts: { §only: [a] }' },
      '"only" is not a key of a selection of accounts; accepted: include, exclude; remove it',
    )
  })
})

describe('10,000 accounts', () => {
  it('with all ids wrong give 201 problems, and quickly', () => {
    const rest = `accounts: { include: { ids: [${Array.from({ length: 10_000 }, (_, index) => index)}] } }`
    const started = performance.now()
    expect(problemsOf(modelText({ rest }))).toHaveLength(201)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('facets are refused with', () => {
  it('the wrong form, or more than 8 entries', () => {
    expectRefused(
      { rest: 'facets: { plan: §traits, §my-csm: traits.csm, §toString: traits.x }' },
      `found "traits"; accepted: ${KEY}; write, for example, "contract.seats"`,
      `found "my-csm"; accepted: ${IDENTIFIER}; write, for example, "daysToClose"`,
      'found the name "toString", which is a reserved word; any other name is accepted; choose another',
    )
    const nine = 'abcdefghi'.split('').map(name => `${name}: traits.${name}`)
    expectRefused(
      { rest: `facets: §{ ${nine} }` },
      'found a block of keys with 9 entries; accepted: latest values by which accounts can be listed, by name, at most 8: plan: traits.plan; write, for example, {"plan":"traits.plan","csm":"traits.csm"}',
    )
  })
})

describe('rates are refused with', () => {
  it('segments whose name is another parameter of the API', () => {
    expectRefused(
      { rest: 'rates: { a: { by: { §window: { of: traits.window, values: [wide] } } } }' },
      'found the name "window", which the API uses as a parameter; any other name is accepted; choose another',
    )
  })

  it('segments that exist anyway, or too many segments', () => {
    const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`)
    expectRefused(
      {
        rest: `rates:
  a: { of: §traits, by: { stage: { of: traits.stage, values: §[] } } }
  b: { by: { stage: { of: traits.stage, values: [x, §other, §unknown] } } }
  c: { by: { x: { of: traits.x, values: [${values(8)}] }, y: { of: traits.y, values: [${values(98)}] } } }
  d: { §by: { x: { of: traits.x, values: [${values(8)}] }, y: { of: traits.y, values: [${values(99)}] } } }
  e: { by: { x: { of: traits.x, values: [x, §x] }, §§y: {} } }`,
      },
      'found "traits"; accepted: usage, intent, outcome; write one of these',
      'found a list of 0; accepted: the values that are told apart, as texts (at least 1); write, for example, ["onboarding","adopting"]',
      'found "other", which every segment has anyway; any other value is accepted; remove it',
      'found "unknown", which every segment has anyway; any other value is accepted; remove it',
      'these segments make 1010 combinations, including other and unknown; at most 1000 are accepted; list fewer values',
      'found "x" twice; each is given once; delete one of them',
      'the segment y has no of; it needs one: the latest value: traits.stage; add it',
      'the segment y has no values; it needs one: the values that are told apart, as texts; add it',
    )
  })
})

describe('KPIs are refused with', () => {
  it('measures of two kinds or none, and keys that do not go with the kind', () => {
    expectRefused(
      {
        rest: `kpis:
  measures:
    §a: {}
    §b: { count: x, fixed: 1 }
    c: { count: x, §property: y }
    d: { fixed: 1, §over: month, §where: { x: 1 } }
    e: { pqls: §made }
    f: { accounts: seen, §where: { x: 1 } }
    g: { sum: §[], where: { m: §[] } }
    j: { count: x, where: { §constructor: 1 } }
    §in: { fixed: 1 }
    §h-i: { fixed: §.inf }
  metrics: { x: { formula: c, unit: §euro } }`,
      },
      'the measure a has none of them; it needs exactly one of count, sum, pqls, accounts, fixed; add one',
      'the measure b has count and fixed; it needs exactly one of count, sum, pqls, accounts, fixed; keep one',
      'the measure c has property without sum; they go together; add sum or remove property',
      'found over beside fixed; a fixed measure is the same in every month; remove over',
      'found where beside fixed; it goes with count or sum, which read signals; remove where',
      'found "made"; accepted: created; write one of these',
      'found where beside accounts; it goes with count or sum, which read signals; remove where',
      'found a list of 0; accepted: a list of names (at least 1); change it',
      'found a list of 0; accepted: a list of values, one at least (at least 1); write, for example, ["plan-upgrade","usage-upsell"]',
      'found the name "constructor", which is a reserved word; any other name is accepted; choose another',
      'found the name "in", which is a reserved word; any other name is accepted; choose another',
      'found "h-i"; accepted: a name: a lower-case letter, then letters and digits, as in daysToClose; write, for example, "daysToClose"',
      'found Infinity; accepted: a plan, such as a quota a month: a number that is the same in every month; write, for example, 120000',
      'found "euro"; accepted: percent, ratio, money, count, days; write one of these',
    )
  })

  it('metrics that read features, metrics, or unknown names', () => {
    expectRefused(
      {
        rest: `kpis:
  csm: §csm
  measures: { won: { count: won }, quota: { fixed: 1 } }
  metrics:
    a: { formula: won / §seats, unit: ratio }
    b: { formula: §wom / quota + §score, unit: ratio, target: §3 }
    c: { formula: §won > quota, unit: ratio, target: §"= 3" }
    d: { formula: "§known(won, quota) && §has(won)", unit: ratio }
    §e: { formula: §wom }`,
      },
      'found "csm"; accepted: a latest value: traits, health or contract, a dot, and the property: contract.seats; write, for example, "contract.seats"',
      'seats is a feature of one account; a metric reads measures; define what it needs under measures',
      '"wom" is not a measure; accepted: a name from measures; did you mean "won"?',
      'score is a variable of triggers and alerts; a metric reads measures; define what it needs under measures',
      'found 3; accepted: what is aimed at, in quotes: >, >=, < or <=, and a number (a text); write, for example, "> 3"',
      'this gives a flag (true or false); this formula is a number; calculate one, as in x ? 1 : 0',
      'found "= 3"; accepted: what is aimed at, in quotes: >, >=, < or <=, and a number; write, for example, "> 3"',
      'known() takes the name of one measure and nothing else; write known(measure)',
      'has() is not accepted; the only function is known(measure); write known(measure)',
      'the metric e has no unit; it needs one: what the number is; add it',
      '"wom" is not a measure; accepted: a name from measures; did you mean "won"?',
    )
  })

  it('measures without metrics', () => {
    expectRefused(
      { rest: '§kpis: { measures: { a: { fixed: 1 } } }' },
      'the key figures kpis has no metrics; it needs one: the key figures, by name; add it',
    )
  })
})
