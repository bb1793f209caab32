import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ReadNames, UnreadNames } from '../../src/analysis/unread-names.ts'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { FULL } from '../models/full-model.ts'
import { type ModelParts, modelText, SHIPPED_MODELS } from '../models/model-text.ts'

function readBy(...models: readonly (string | Partial<ModelParts>)[]): ReadNames {
  const texts = models.map(model => (typeof model === 'string' ? model : modelText(model)))
  return new ReadNames(texts.map(text => compileModel(parseModel(text, 'model.yaml'))))
}

function signal(kind: Signal['kind'], name: string, properties: Signal['properties'] = {}): Signal {
  return {
    id: 'one',
    kind,
    name,
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties,
    occurredAt: 0,
  }
}

describe('names that a model reads', () => {
  const SELECTS = readBy({
    features: `features:
  seats: { latest: contract.seats }
  users: { distinctUsers: { within: 30d } }
  searches: { count: { of: usage, names: [search, report.*], except: report.draft, within: 30d } }
  roles: { knownKeys: { of: traits.stakeholder.* } }
  over: { daysSustained: { of: traits.planUsage, per: contract.limit, above: 0.8, to: 90 } }
  months: { periodsSustained: { count: { of: usage, names: api.called }, per: contract.calls, every: 30d, from: 1, to: 3 } }
  renewal: { daysUntil: { date: contract.renewalDate, to: 90 } }
  silence: { daysSinceSignal: { of: intent, names: seen, to: 90 } }
  growth: { growth: { of: traits.headcount, within: 30d } }
  more: { growth: { sum: { of: outcome, names: paid }, within: 30d } }`,
    rest: `facets: { plan: traits.plan }
rates:
  intent: { title: Intent, of: intent, names: [asked], by: { stage: { of: traits.stage, values: [x] } } }
kpis:
  csm: traits.csm
  measures:
    won: { count: [won, closed.*] }
    value: { sum: paid-late, property: amount }
    pqls: { pqls: created }
  metrics:
    all: { title: All, formula: won + value + pqls, unit: count }`,
  })

  test.each([
    ['usage:search', true],
    ['usage:report.weekly', true],
    ['usage:report.draft', false],
    ['intent:search', false],
    ['usage:api.called', true],
    ['intent:seen', true],
    ['outcome:paid', true],
    ['contract.seats', true],
    ['traits.seats', false],
    ['traits.stakeholder.champion', true],
    ['traits.planUsage', true],
    ['contract.limit', true],
    ['contract.calls', true],
    ['contract.renewalDate', true],
    ['traits.headcount', true],
    // A facet, a rate, its segment, key figures.
    ['traits.plan', true],
    ['intent:asked', true],
    ['traits.stage', true],
    ['traits.csm', true],
    ['outcome:won', true],
    ['outcome:closed.early', true],
    ['outcome:paid-late', true],
    ['usage:won', false],
    ['outcome:lost', false],
    ['override:small', true],
    ['override:*', true],
    ['override:smal', false],
  ])('%s: %s', (name, isRead) => {
    expect(SELECTS.isRead(name)).toBe(isRead)
  })

  test('one of several models is enough, and no model reads nothing', () => {
    const of = (name: string) => ({ features: `features: { users: { latest: ${name} } }` })
    const both = readBy(of('traits.a'), of('traits.b'))
    expect(['traits.a', 'traits.b', 'traits.c'].map(name => both.isRead(name))).toEqual([true, true, false])
    expect(new ReadNames([]).isRead('override:*')).toBe(false)
  })

  test('a selection without names reads every name of its kinds', () => {
    const names = readBy({ features: 'features: { users: { activeDays: { of: usage, within: 30d } } }' })
    expect([names.isRead('usage:any'), names.isRead('intent:any')]).toEqual([true, false])
  })

  test('a signal brings its name, or each of its keys', () => {
    expect(SELECTS.unreadOf(signal('usage', 'search'))).toEqual([])
    expect(SELECTS.unreadOf(signal('usage', 'serach', { plan: 1 }))).toEqual(['usage:serach'])
    expect(SELECTS.unreadOf(signal('traits', 'traits', { plan: 1, plna: 2, seats: 3 }))).toEqual([
      'traits.plna',
      'traits.seats',
    ])
    expect(SELECTS.unreadOf(signal('override', 'small'))).toEqual([])
    expect(SELECTS.unreadOf(signal('override', 'smal'))).toEqual(['override:smal'])
  })

  test('each name in the text of the full model is read', () => {
    const names = readBy(FULL)
    for (const name of [
      'intent:pricing.viewed',
      'usage:b.d',
      'usage:feature.x',
      'outcome:lost.x',
      'traits.csm',
    ])
      expect([name, names.isRead(name)]).toEqual([name, true])
  })

  test('every shipped model reads the keys of its own features', () => {
    for (const file of SHIPPED_MODELS) {
      const definition = parseModel(readFileSync(join(PACKAGE_ROOT, file), 'utf8'), file)
      const names = new ReadNames([compileModel(definition)])
      const keys = definition.features.flatMap(feature => (feature.type === 'latest' ? [feature.key] : []))
      expect(keys.filter(key => !names.isRead(key))).toEqual([])
    }
  })
})

describe('the nearest name that a model reads', () => {
  const names = readBy({
    features: `features:
  users: { latest: contract.seats }
  plan: { latest: traits.planName, type: text }
  search: { count: { of: usage, names: feature.search, within: 30d } }
  views: { count: { of: intent, names: [pricing.viewed, product.*], except: product.home, within: 30d } }`,
  })

  test.each([
    ['usage:feature.serach', 'usage:feature.search'],
    ['usage:Feature.Search', 'usage:feature.search'],
    ['usage:featrue.search', 'usage:feature.search'],
    // Another kind.
    ['usage:pricing.viewed', 'intent:pricing.viewed'],
    ['usage:pricing.veiwed', 'intent:pricing.viewed'],
    ['traits.seats', 'contract.seats'],
    ['traits.plan_name', 'traits.planName'],
    // A pattern, completed by what was sent.
    ['intent:prodcut.crm', 'intent:product.crm'],
    ['usage:product.crm', 'intent:product.crm'],
    ['usage:product.home', undefined],
    ['override:smal', 'override:small'],
    ['usage:something.else.entirely', undefined],
  ])('%s → %s', (name, nearest) => {
    expect(names.nearest(name)).toBe(nearest)
  })
})

describe('the names of many signals', () => {
  const unread = () =>
    new UnreadNames(
      readBy({
        features: 'features: { users: { count: { of: usage, names: feature.search, within: 30d } } }',
      }),
    )

  test('are counted, the most frequent first', () => {
    const names = unread()
    for (const name of ['b', 'feature.search', 'feature.serach', 'a', 'feature.serach'])
      names.add(signal('usage', name))
    expect(names.size).toBe(3)
    expect(names.list(2)).toEqual([
      { name: 'usage:feature.serach', signals: 2, nearest: 'usage:feature.search' },
      { name: 'usage:a', signals: 1, nearest: undefined },
    ])
    expect(names.furtherSignals).toBe(0)
  })

  test('are kept up to a bound; further signals are counted together', () => {
    const names = unread()
    for (let i = 0; i < 10_005; i++) names.add(signal('usage', `name-${i}`))
    names.add(signal('usage', 'name-0'))
    expect([names.size, names.furtherSignals]).toEqual([10_000, 5])
    expect(names.list(1)).toEqual([{ name: 'usage:name-0', signals: 2, nearest: undefined }])
  })
})
