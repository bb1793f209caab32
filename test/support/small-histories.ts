import type { Condition, Expression, Value } from '../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../src/scoring/definition/feature-definition.ts'
import type {
  ModelDefinition,
  RuleDefinition,
  TriggerDefinition,
} from '../../src/scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { type HistoryRecord, slowEvaluate } from './slow/slow-evaluator.ts'

/** Short words for tests with histories of one account and small models. */

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Times in tests are days and hours after this midnight. */
export const START = Date.UTC(2024, 0, 1)
export const at = (days: number, hours = 0): number => START + days * DAY_MS + hours * HOUR_MS

const ids = (function* () {
  for (let number = 1; ; number += 1) yield `id-${number}`
})()

export function signal(
  timestamp: number,
  change: Partial<Signal> = {},
): { timestamp: number; signal: Signal } {
  return {
    timestamp,
    signal: {
      id: ids.next().value,
      kind: 'usage',
      name: 'report.exported',
      accountId: 'acme',
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: timestamp,
      ...change,
    },
  }
}

export const facts = (timestamp: number, properties: Signal['properties'], change: Partial<Signal> = {}) =>
  signal(timestamp, { kind: 'traits', name: 'updated', properties, ...change })

export function override(
  timestamp: number,
  id: string,
  properties: Signal['properties'],
  change: Partial<Signal> = {},
) {
  return signal(timestamp, {
    id,
    kind: 'override',
    name: 'growth',
    properties: { reason: 'a call', author: 'kim', ...properties },
    ...change,
  })
}

export const endsAt = (days: number, hours = 0) => ({ expiresAt: new Date(at(days, hours)).toISOString() })
export const tick = (timestamp: number): HistoryRecord => ({ timestamp, tick: true })
export const models = (timestamp: number, ...of: ModelDefinition[]): HistoryRecord => ({
  timestamp,
  models: of,
})

export const USED: FeatureDefinition = {
  name: 'used',
  type: 'count',
  select: { kinds: ['usage'], names: undefined, except: [] },
  window: { unit: 'day', length: 30 },
}
export const SEATS: FeatureDefinition = {
  name: 'seats',
  type: 'latest',
  key: 'traits.seats',
  valueType: 'number',
  maxAgeDays: undefined,
  fallback: undefined,
}

/** The points are the feature's value, up to 100. */
export function pointsOf(of: string, change: Partial<RuleDefinition> = {}): RuleDefinition {
  return {
    name: `points of ${of}`,
    title: 'Points',
    max: 100,
    missing: { type: 'points', points: 0 },
    type: 'line',
    line: {
      of,
      corners: [
        [0, 0],
        [100, 100],
      ],
    },
    ...change,
  } as RuleDefinition
}

export function model(change: Partial<ModelDefinition> = {}): ModelDefinition {
  return {
    id: 'growth',
    version: 1,
    name: 'Growth',
    score: { scale: 1, min: 0, max: 100, decimals: 0 },
    features: [USED, SEATS],
    groups: [{ name: 'all', title: 'All', weight: 1, max: 100, rules: [pointsOf('used')] }],
    tiers: [
      { name: 'cold', title: 'Cold', from: 0, action: '', queue: undefined },
      { name: 'warm', title: 'Warm', from: 2, action: '', queue: undefined },
      { name: 'hot', title: 'Hot', from: 4, action: '', queue: undefined },
    ],
    tierPolicy: { margin: 0, dwellMs: 0 },
    gates: [],
    triggers: [],
    alerts: [],
    scope: { include: undefined, exclude: undefined },
    facets: [],
    rates: [],
    kpis: undefined,
    ...change,
  }
}

export const ONE_TIER = { tiers: [{ name: 'only', title: '', from: 0, action: '', queue: undefined }] }
export const seatsModel = (change: Partial<ModelDefinition> = {}) =>
  model({
    groups: [{ name: 'all', title: 'All', weight: 1, max: 100, rules: [pointsOf('seats')] }],
    ...change,
  })

export const feature = (name: string): Expression => ({ type: 'feature', name })
export const literal = (value: number | string | boolean): Expression => ({ type: 'literal', value })
export const atLeast = (name: string, value: number): Condition => ({
  text: `${name} >= ${value}`,
  expression: { type: 'compare', operator: '>=', left: feature(name), right: literal(value) },
})

export function trigger(change: Partial<TriggerDefinition> = {}): TriggerDefinition {
  return {
    name: 'upgrade',
    motion: 'plan-upgrade',
    when: atLeast('seats', 10),
    gates: [],
    cooldownMs: 2 * DAY_MS,
    expiryMs: 5 * DAY_MS,
    reason: '{seats} seats',
    play: ['call'],
    decisionTimeline: 'a month',
    offer: undefined,
    confidence: undefined,
    estimatedValue: undefined,
    ...change,
  }
}

/** An event in one line: when (in days after the start), what, and why. */
export function line(event: ScoringEvent): string {
  const days = (event.at - START) / DAY_MS
  const cause = `${event.cause.type}${event.cause.signalId === undefined ? '' : ` ${event.cause.signalId}`}`
  const what =
    event.type === 'tier-change'
      ? `${event.from} > ${event.to} ${event.previousScore} > ${event.score}`
      : event.type === 'pql'
        ? `${event.pqlId} ${event.status}`
        : `${event.alert} sent`
  return `${days} ${what}, ${cause}`
}

export function linesOf(...history: HistoryRecord[]): string[] {
  return slowEvaluate(history).events.map(line)
}

export function featureAfter(body: object, ...history: HistoryRecord[]): Value {
  const definition = { ...body, name: 'read' } as FeatureDefinition
  const start = history[0]!.timestamp
  const { accounts } = slowEvaluate([
    models(start, model({ features: [USED, SEATS, definition] })),
    ...history,
  ])
  return accounts.get('acme')!.standings[0]!.features.get('read')
}
