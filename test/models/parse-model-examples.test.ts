import { describe, expect, it } from 'vitest'
import { readExamples } from '../../src/models/examples.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { InvalidModelError } from '../../src/models/problems.ts'
import { checkSignal } from '../../src/signals/parse-signal.ts'
import { modelText } from './model-text.ts'

const DAY_MS = 86_400_000
const AT = Date.parse('2026-06-30T12:00:00Z')
const examples = (...lines: string[]) => readExamples(modelText({ rest: lines.join('\n') }), 'small.yaml')

describe('the examples of a model', () => {
  it('have signals in order of time, and an expected result', () => {
    const [first, ...others] = examples(
      'examples:',
      '  - title: A full plan',
      '    given:',
      '      - { usage: api.called, quantity: 950.5, daysAgo: 1, user: kim, properties: { team: ops } }',
      '      - { contract: { seats: 10, plan: null }, daysAgo: 60 }',
      '      - { intent: pricing.viewed }',
      '    expect: { score: 83, tier: high, features: { users: 1, plan: null }, groups: { usage: 10 } }',
    )
    expect(others).toEqual([])
    const common = { accountId: 'example', userId: undefined, quantityThousandths: 1000, properties: {} }
    expect(first).toEqual({
      title: 'A full plan',
      at: AT,
      accountId: 'example',
      signals: [
        {
          ...common,
          id: 'example-1-2',
          kind: 'contract',
          name: 'contract',
          properties: { seats: 10, plan: null },
          occurredAt: AT - 60 * DAY_MS,
        },
        {
          ...common,
          id: 'example-1-1',
          kind: 'usage',
          name: 'api.called',
          userId: 'kim',
          quantityThousandths: 950_500,
          properties: { team: 'ops' },
          occurredAt: AT - DAY_MS,
        },
        { ...common, id: 'example-1-3', kind: 'intent', name: 'pricing.viewed', occurredAt: AT },
      ],
      expect: { score: 83, tier: 'high', features: { users: 1, plan: null }, groups: { usage: 10 } },
      line: 18,
    })
  })

  it('may repeat a signal on several days, several times a day, by several users', () => {
    const [example] = examples(
      'examples:',
      '  - title: Many',
      '    at: 2026-03-01',
      '    account: acme',
      '    given: [{ usage: login, daysAgo: 2-3, times: 2, users: 2 }]',
      '    expect: { held: [] }',
    )
    const { signals, at, accountId } = example!
    expect([at, accountId]).toEqual([Date.parse('2026-03-01T00:00:00Z'), 'acme'])
    expect(signals.map(({ id, userId, occurredAt }) => [id, userId, (at - occurredAt) / DAY_MS])).toEqual([
      ['example-1-5', 'user-1', 3],
      ['example-1-6', 'user-1', 3],
      ['example-1-7', 'user-2', 3],
      ['example-1-8', 'user-2', 3],
      ['example-1-1', 'user-1', 2],
      ['example-1-2', 'user-1', 2],
      ['example-1-3', 'user-2', 2],
      ['example-1-4', 'user-2', 2],
    ])
  })

  it('put facts before events of the same moment, and otherwise keep the order of the file', () => {
    const [example] = examples(
      'examples:',
      '  - title: Order',
      '    given:',
      '      - { usage: b }',
      '      - { usage: a }',
      '      - { traits: { x: 1 } }',
      '      - { health: { x: 1 } }',
      '      - { outcome: c, daysAgo: 0.5 }',
      '    expect: { score: 0 }',
    )
    expect(example!.signals.map(({ name }) => name)).toEqual(['c', 'traits', 'health', 'b', 'a'])
    expect(example!.signals[0]!.occurredAt).toBe(AT - DAY_MS / 2)
  })

  it('have only signals that a source could send, and are no part of the definition', () => {
    const text = modelText({
      rest: `examples:
  - title: Two kinds
    given: [{ usage: login, daysAgo: 0-40, users: 3 }, { traits: { plan: pro, size: 5, eu: true } }]
    expect: { coverage: 1 }`,
    })
    for (const { occurredAt, quantityThousandths, ...signal } of readExamples(text, 'small.yaml')[0]!
      .signals) {
      const sent = {
        ...signal,
        quantity: quantityThousandths / 1000,
        occurredAt: new Date(occurredAt).toISOString(),
      }
      expect(checkSignal(sent, { observedAt: AT, defaultKind: undefined, place: 'edge' })).toEqual({
        signal: { ...signal, quantityThousandths, occurredAt },
      })
    }
    expect(parseModel(text, 'small.yaml')).toEqual(parseModel(modelText(), 'small.yaml'))
  })

  it('are empty if the model has none, and refused if the model is invalid', () => {
    expect(examples()).toEqual([])
    expect(() => examples('exampels: []')).toThrow(InvalidModelError)
  })
})
