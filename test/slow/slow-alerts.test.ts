import { describe, expect, test } from 'vitest'
import type { AlertDefinition, ModelDefinition } from '../../src/scoring/definition/model-definition.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import {
  at,
  atLeast,
  endsAt,
  facts,
  linesOf,
  models,
  ONE_TIER,
  override,
  seatsModel,
  signal,
  tick,
} from '../support/small-histories.ts'

describe('an alert', () => {
  const alert = (change: Partial<AlertDefinition> = {}): AlertDefinition => ({
    name: 'spike',
    title: 'Many seats',
    when: atLeast('seats', 5),
    gates: [],
    frequencyMs: 36 * 3_600_000,
    reason: '{seats} in {tier}',
    recipients: ['sales'],
    template: undefined,
    priority: 'high',
    assignee: 'kim',
    action: undefined,
    ...change,
  })
  const alerting = (change: Partial<ModelDefinition> = {}) =>
    seatsModel({ alerts: [alert()], ...ONE_TIER, ...change })

  test('is sent when its condition is met, and again after its frequency', () => {
    expect(
      linesOf(
        models(at(0), alerting()),
        facts(at(0, 6), { seats: 5 }, { id: 'five' }),
        facts(at(2), { seats: 4 }),
        facts(at(2, 6), { seats: 5 }),
        facts(at(4), { seats: 4 }),
        facts(at(8), { seats: 5 }, { id: 'again' }),
      ),
    ).toEqual([
      '0.25 spike sent, signal five',
      '1.75 spike sent, window',
      '3.25 spike sent, window',
      '8 spike sent, signal again',
    ])
  })

  test('carries what its readers need', () => {
    const { events } = slowEvaluate([models(at(0), alerting()), facts(at(0), { seats: 5 }, { id: 'five' })])
    expect(events).toEqual([
      {
        type: 'alert',
        id: '',
        accountId: 'acme',
        modelId: 'growth',
        modelVersion: 1,
        alert: 'spike',
        title: 'Many seats',
        priority: 'high',
        recipients: ['sales'],
        assignee: 'kim',
        score: 5,
        tier: 'only',
        reasons: ['5 in only'],
        evidence: { seats: 5 },
        at: at(0),
        cause: { type: 'signal', signalId: 'five' },
      },
    ])
  })

  test('waits for its gates, but not for an override with hold', () => {
    const gates = [{ name: 'calm', title: '', open: atLeast('used', 1), missing: 'closed' as const }]
    expect(
      linesOf(
        models(at(0), alerting({ gates, alerts: [alert({ gates: ['calm'] })] })),
        facts(at(0), { seats: 5 }),
        override(at(0), 'wait', { hold: true, ...endsAt(2) }),
        signal(at(1), { id: 'used' }),
      ),
    ).toEqual(['1 spike sent, signal used'])
  })

  test('keeps its frequency when the model changes, if it has the same name', () => {
    const next = (name: string) => alerting({ version: 2, alerts: [alert({ name })] })
    const history = [models(at(0), alerting()), facts(at(0), { seats: 5 })]
    expect(linesOf(...history, models(at(1), next('spike')), tick(at(2))).slice(1)).toEqual([
      '1.5 spike sent, window',
    ])
    expect(linesOf(...history, models(at(1), next('other')), tick(at(2))).slice(1)).toEqual([
      '1 other sent, model',
    ])
  })
})
