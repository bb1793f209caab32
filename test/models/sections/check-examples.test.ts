import { describe, it } from 'vitest'
import { expectRefused } from '../model-text.ts'

const TRIGGERS = `triggers:
  seats-full: { motion: cross-sell, when: trial, cooldown: 1d, expiry: 1d, reason: Why }
alerts:
  high-usage: { when: trial, frequency: 1d, reason: Why, recipients: [csm] }`

describe('examples are refused with', () => {
  it('names that the model does not have, and values that a feature cannot have', () => {
    expectRefused(
      {
        rest: `${TRIGGERS}
examples:
  - title: Names
    given: [{ usage: x }]
    expect:
      tier: §hgih
      pqls: [seats-full, §seats-ful]
      held: [§seats-full, §zebra]
      alerts: [§high-usag]
      groups: { usage: 3, §usge: 3 }
      features: { seats: null, §seets: 3, plan: §3, users: §"x", trial: false }`,
      },
      '"hgih" is not a tier; accepted: low, high; did you mean "high"?',
      '"seats-ful" is not a trigger; accepted: seats-full; did you mean "seats-full"?',
      'seats-full is also in pqls; a PQL is open or held; remove it from one of them',
      '"zebra" is not a trigger; accepted: seats-full; define it under triggers, or remove it',
      '"high-usag" is not an alert; accepted: high-usage; did you mean "high-usage"?',
      '"usge" is not a group; accepted: usage; did you mean "usage"?',
      '"seets" is not a feature; accepted: seats, users, plan, trial; did you mean "seats"?',
      'found 3; plan is a text; expect one, or null for unknown',
      'found "x"; users is a number; expect one, or null for unknown',
    )
  })

  it('names of parts that the model does not have at all', () => {
    expectRefused(
      { rest: 'examples: [{ title: T, given: [{ usage: x }], expect: { pqls: [§a], alerts: [§b] } }]' },
      '"a" is not a trigger; accepted: none, as the model has no triggers; define it under triggers, or remove it',
      '"b" is not an alert; accepted: none, as the model has no alerts; define it under alerts, or remove it',
    )
  })

  it('signals that no source could send', () => {
    expectRefused(
      {
        rest: `examples:
  - title: Signals
    at: §2026-02-30
    account: §${'é'.repeat(300)}
    given:
      - { traits: { a: 1 }, §user: kim, §times: 3 }
      - { usage: x, user: kim, §users: 3 }
      - { usage: x, daysAgo: §5-3 }
      - §{ usage: "a\\0", user: kim }
      - §{ contract: { constructor: 3 } }
    expect: { score: 3 }`,
      },
      'found "2026-02-30"; accepted: a date or RFC 3339 time from 1980 to 2149; write, for example, 2026-06-30T12:00:00Z',
      'accountId has 600 bytes in UTF-8; up to 512 are accepted; correct it',
      'found user beside traits; it goes with usage, intent and outcome; remove user',
      'found times beside traits; it goes with usage, intent and outcome; remove times',
      'found users beside user; one names a user, the other makes several; remove one of them',
      'found "5-3"; accepted: the lower number first; swap them',
      'name holds a NUL or half a character; well-formed text is accepted; correct it',
      'a nested object has the key constructor, which is not accepted; correct it',
    )
  })

  it('signals of the wrong form', () => {
    expectRefused(
      {
        rest: `examples:
  - title: Signals
    given:
      - §{}
      - §{ usage: x, traits: { a: 1 } }
      - { usage: x, daysAgo: §yesterday }
      - { usage: x, daysAgo: §1001, quantity: §-1, times: §0, users: §1.5 }
      - { contract: { a: §[1] } }
    expect: { score: 3 }`,
      },
      'the given signal given[0] has none of them; it needs exactly one of traits, health, contract, usage, intent, outcome; add one',
      'the given signal given[1] has traits and usage; it needs exactly one of traits, health, contract, usage, intent, outcome; keep one',
      'found "yesterday"; accepted: days from-to, the lower number first: 0-29; write, for example, "0-29"',
      'found 1001; accepted: a number of days from 0 to 1000, or from-to: 0-29 (at most 1000); write, for example, 3',
      'found -1; accepted: how much of it (at least 0); change it',
      'found 0; accepted: that many signals a day, 1 to 1000 (at least 1); change it',
      'found 1.5; accepted: by that many different users, each one signal (or times), 1 to 10,000 (a whole number); write, for example, 9',
      'found a list of 1; accepted: a number, a text, true or false; write, for example, 5',
    )
  })

  it('too many signals', () => {
    expectRefused(
      {
        rest: `examples:
  - { title: A, §given: [{ usage: x, daysAgo: 0-9, times: 1000 }, { usage: x }], expect: { score: 3 } }
${Array(10)
  .fill(0)
  .map(
    (_, i) =>
      `  - { title: T, ${i === 8 ? '§' : ''}given: [{ usage: x, users: 10000 }], expect: { score: 3 } }`,
  )
  .join('\n')}`,
      },
      'this example makes 10001 signals; at most 10000 are accepted; reduce days, times or users',
      'the examples up to this one make 100001 signals; at most 100000 are accepted; reduce days, times or users',
    )
  })

  it('empty or missing parts, and times out of range', () => {
    expectRefused(
      { rest: 'examples: [{ title: T, given: §[], expect: §{} }, §§§{ at: 2026-01-01 }]' },
      `found a list of 0; accepted: the account's signals, in any order (at least 1); write, for example, [{"contract":{"seats":10},"daysAgo":60}]`,
      'found a block of keys with 0 entries; accepted: what the model makes of the signals (at least 1); write, for example, {"score":83,"pqls":["seats-nearly-full"]}',
      'the example examples[1] has no title; it needs one: what it shows, for people; add it',
      "the example examples[1] has no given; it needs one: the account's signals, in any order; add it",
      'the example examples[1] has no expect; it needs one: what the model makes of them; add it',
    )
    expectRefused(
      { rest: 'examples: [{ title: T, at: §1979-12-31, given: [{ usage: x }], expect: { score: 1 } }]' },
      'found "1979-12-31"; accepted: a date or RFC 3339 time from 1980 to 2149; write, for example, 2026-06-30T12:00:00Z',
    )
  })
})
