import { describe, expect, test } from 'vitest'
import type { Expression, Value } from '../../src/scoring/definition/expression.ts'
import type { RuleDefinition } from '../../src/scoring/definition/model-definition.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  feature,
  literal,
  model,
  models,
  pointsOf,
  signal,
  trigger,
} from '../support/small-histories.ts'

describe('a condition', () => {
  const unknown = feature('seats')
  const yes = literal(true)
  const no = literal(false)
  const one = literal(1)
  test.each<[name: string, expression: Expression, value: Value]>([
    ['false and unknown', { type: 'and', left: no, right: unknown }, false],
    ['unknown and false', { type: 'and', left: unknown, right: no }, false],
    ['true and unknown', { type: 'and', left: yes, right: unknown }, undefined],
    ['unknown or true', { type: 'or', left: unknown, right: yes }, true],
    ['false or unknown', { type: 'or', left: no, right: unknown }, undefined],
    ['not unknown', { type: 'not', of: unknown }, undefined],
    ['unknown == unknown', { type: 'compare', operator: '==', left: unknown, right: unknown }, undefined],
    ['1 / 0', { type: 'arithmetic', operator: '/', left: one, right: literal(0) }, undefined],
    ['unknown in [1]', { type: 'in', of: unknown, list: [1] }, undefined],
    ['known(unknown)', { type: 'known', name: 'seats' }, false],
    // biome-ignore lint/suspicious/noThenProperty: the language's own word
    ['unknown ? true : true', { type: 'conditional', test: unknown, then: yes, otherwise: yes }, undefined],
    // biome-ignore lint/suspicious/noThenProperty: the language's own word
    ['true ? true : unknown', { type: 'conditional', test: yes, then: yes, otherwise: unknown }, true],
  ])('evaluates %s', (_, expression, value) => {
    const outcome = (of: Expression, missing: 'open' | 'closed') =>
      slowEvaluate([
        models(
          at(0),
          model({
            gates: [{ name: 'gate', title: '', open: { text: '', expression: of }, missing }],
            triggers: [trigger({ when: { text: 'true', expression: yes }, gates: ['gate'] })],
          }),
        ),
        signal(at(0)),
      ]).events.map(event => event.type === 'pql' && event.status)[0]
    // A gate shows all three results: open either way, closed either way, or as it says for unknown.
    const seen = [outcome(expression, 'open'), outcome(expression, 'closed')].join()
    const expected = { true: 'qualified,qualified', false: 'held,held', undefined: 'qualified,held' }
    expect(seen).toBe(expected[String(value) as keyof typeof expected])
  })

  test('chooses the first case that is true even if one before it is unknown', () => {
    const cases = (last: object[]) =>
      pointsOf('seats', {
        type: 'cases',
        missing: { type: 'points', points: 1 },
        cases: [{ when: atLeast('seats', 1), points: 2 }, ...last],
      } as never)
    const scoreOf = (rule: RuleDefinition) =>
      slowEvaluate([
        models(at(0), model({ groups: [{ name: 'all', title: '', weight: 1, max: 100, rules: [rule] }] })),
        signal(at(0)),
      ]).accounts.get('acme')!.standings[0]!.score
    expect(scoreOf(cases([{ when: atLeast('used', 1), points: 3 }]))).toBe(3)
    expect(scoreOf(cases([{ when: undefined, points: 4 }]))).toBe(1)
    expect(scoreOf(cases([]))).toBe(1)
  })
})
