import { describe, expect, test } from 'vitest'
import { checkExample, type ExampleExpectation, runExample } from '../../src/analysis/run-example.ts'
import { readExamples } from '../../src/models/examples.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'

const MODEL = `id: seats
version: 1
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
  plan: { latest: traits.plan, type: text }
  health: { latest: health.score }
groups:
  usage:
    weight: 1
    max: 10
    rules:
      users: { title: Users, of: users, bands: [{ from: 1, points: 3 }, { from: 3, points: 8 }] }
      health: { title: Health, line: { of: health, corners: [[0, 0], [100, 2]] }, missing: 0 }
tiers: [{ name: cold, from: 0 }, { name: hot, from: 50 }]
gates:
  healthy: { open: health >= 60, missing: open }
triggers:
  three-users: { motion: seat-expansion, when: users >= 3, cooldown: 30d, expiry: 90d, reason: x }
  pro: { motion: plan-upgrade, when: plan == "pro", gates: [], cooldown: 30d, expiry: 90d, reason: x }
alerts:
  crowd: { when: users >= 3, frequency: 7d, reason: x, recipients: [csm] }
examples:
`

function run(given: string, expected = '{ score: 0 }') {
  const text = `${MODEL}  - { title: t, given: [${given}], expect: ${expected} }\n`
  const [example] = readExamples(text, 'm.yaml')
  const outcome = runExample(new ModelLibrary().compile({ file: 'm.yaml', text }), example!)
  return { outcome, mismatches: checkExample(example!.expect, outcome) }
}

const THREE_USERS = '{ usage: a, users: 3, daysAgo: 0-20 }'

describe('an example', () => {
  test('gives the result of its signals, as the service does', () => {
    const { outcome, mismatches } = run(
      `${THREE_USERS}, { health: { score: 100 }, daysAgo: 40 }`,
      `{ score: 100, tier: hot, coverage: 1, groups: { usage: 10 }, features: { users: 3, plan: null },
         pqls: [three-users], held: [], alerts: [crowd] }`,
    )
    expect(mismatches).toEqual([])
    expect(outcome.contributions.map(({ rule, contribution }) => [rule, contribution])).toEqual([
      ['users', 80],
      ['health', 20],
    ])
  })

  test('has its result at its own time: windows are empty by then, alerts stay sent', () => {
    const { mismatches } = run(
      '{ usage: a, users: 3, daysAgo: 31 }',
      '{ score: 0, tier: cold, pqls: [], features: { users: 0 }, alerts: [crowd] }',
    )
    expect(mismatches).toEqual([])
  })

  test('shows what a gate holds back, and which gate', () => {
    const { outcome, mismatches } = run(
      `${THREE_USERS}, { health: { score: 59 } }`,
      '{ held: [three-users], pqls: [] }',
    )
    expect(mismatches).toEqual([])
    expect(outcome.conditions.triggers['three-users']).toEqual({
      when: 'users >= 3',
      values: { users: 3 },
      closedGates: [{ name: 'healthy', when: 'health >= 60', values: { health: 59 } }],
    })
    expect(outcome.conditions.triggers['pro']).toMatchObject({ closedGates: [] })
  })
})

describe('an expectation that is not met', () => {
  const CASES: readonly [expected: string, what: string, wanted: unknown, found: unknown][] = [
    ['{ score: 79 }', 'score', 79, 80],
    ['{ tier: cold }', 'tier', 'cold', 'hot'],
    ['{ coverage: 0.79999 }', 'coverage', 0.79999, 0.8],
    ['{ groups: { usage: 9 } }', 'groups.usage', 9, 8],
    ['{ features: { users: 2 } }', 'features.users', 2, 3],
    ['{ features: { users: null } }', 'features.users', null, 3],
    ['{ features: { plan: pro } }', 'features.plan', 'pro', null],
    ['{ pqls: [] }', 'pqls', [], ['three-users']],
    ['{ pqls: [three-users, pro] }', 'pqls', ['three-users', 'pro'], ['three-users']],
    ['{ held: [three-users] }', 'held', ['three-users'], []],
    ['{ alerts: [] }', 'alerts', [], ['crowd']],
  ]
  test.each(CASES)('%s', (expected, what, wanted, found) => {
    expect(run(THREE_USERS, expected).mismatches).toEqual([{ what, expected: wanted, found }])
  })

  test('is met within 10⁻⁶, in any order', () => {
    expect(run(THREE_USERS, '{ coverage: 0.8000005 }').mismatches).toEqual([])
    const both = `${THREE_USERS}, { traits: { plan: pro } }`
    expect(run(both, '{ pqls: [pro, three-users] }').mismatches).toEqual([])
  })

  test('is a mismatch if there is no check for it', () => {
    const { outcome } = run(THREE_USERS)
    const unknown = { rank: 1 } as unknown as ExampleExpectation
    expect(checkExample(unknown, outcome)).toEqual([
      { what: 'rank', expected: 1, found: expect.stringMatching(/cannot compare/) },
    ])
  })
})
