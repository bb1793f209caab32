import type { ConsoleContext } from '../../src/console/console-context.ts'
import type { ModelDefinition, RuleDefinition } from '../../src/scoring/definition/model-definition.ts'
import type { AlertEvent, Contribution, PqlEvent, TierChange } from '../../src/scoring/events.ts'

export const NOW = Date.UTC(2026, 10, 18, 9, 41, 7)

const always = { text: 'true', expression: { type: 'literal', value: true } } as const

function rule(name: string, title: string, max: number): RuleDefinition {
  return {
    name,
    title,
    max,
    missing: { type: 'exclude' },
    type: 'line',
    line: { of: 'score', corners: [[0, max]] },
  }
}

const SHARED_STEP = 'Read the explanation.'

/** Two groups of 40 and 60 points, three tiers, one gate, two triggers. */
export const MODEL: ModelDefinition = {
  id: 'revenue',
  version: 1,
  name: 'Expansion Revenue Score',
  score: { scale: 10, min: 0, max: 100, decimals: 0 },
  features: [],
  groups: [
    { name: 'usage', title: 'Usage', weight: 0.4, max: 10, rules: [rule('plan', 'Use of the plan', 10)] },
    {
      name: 'health',
      title: 'Health',
      weight: 0.6,
      max: 10,
      rules: [rule('score', 'Health score', 5), rule('nps', 'NPS answer', 5)],
    },
  ],
  tiers: [
    { name: 'not-ready', title: 'Not ready', from: 0, action: 'Wait.', queue: undefined },
    { name: 'likely', title: 'Expansion-likely', from: 50, action: 'Next review.', queue: undefined },
    {
      name: 'ready',
      title: 'Expansion-ready',
      from: 75,
      action: 'Reach out this quarter.',
      queue: 'enterprise',
    },
  ],
  tierPolicy: { margin: 0, dwellMs: 0 },
  gates: [{ name: 'health', title: 'Health score is 60 or more', open: always, missing: 'open' }],
  triggers: (['seats', 'limit'] as const).map(name => ({
    name,
    motion: name === 'seats' ? 'seat-expansion' : 'plan-upgrade',
    when: always,
    gates: ['health'],
    cooldownMs: 1,
    expiryMs: 1,
    reason: '',
    play: [SHARED_STEP, `Talk about ${name}.`],
    decisionTimeline: '1-2 weeks',
    offer: undefined,
    confidence: undefined,
    estimatedValue: undefined,
  })),
  alerts: [],
  scope: { include: undefined, exclude: undefined },
  facets: [],
  rates: [],
  kpis: undefined,
}

export function contribution(group: string, rule: string, points: number | null, adds: number): Contribution {
  return { group, rule, points, max: 10, known: true, contribution: adds, inputs: {} }
}

export function tierChange(more: Partial<TierChange> = {}): TierChange {
  return {
    type: 'tier-change',
    id: 't1',
    accountId: 'northwind-robotics',
    modelId: 'revenue',
    modelVersion: 1,
    from: 'likely',
    to: 'ready',
    score: 76,
    previousScore: 72,
    at: NOW,
    cause: { type: 'signal', signalId: 's-1' },
    contributions: [
      contribution('usage', 'plan', 7, 28),
      { ...contribution('health', 'score', 5, 30), max: 5 },
      { ...contribution('health', 'nps', 3, 18), max: 5 },
    ],
    ...more,
  }
}

export function pqlEvent(more: Partial<PqlEvent> = {}): PqlEvent {
  return {
    type: 'pql',
    id: 'p1',
    pqlId: 'q1',
    accountId: 'northwind-robotics',
    modelId: 'revenue',
    modelVersion: 1,
    trigger: 'seats',
    motion: 'seat-expansion',
    status: 'qualified',
    score: 76,
    tier: 'ready',
    reasons: ['84% of the licensed seats are active'],
    evidence: { seatUtilization: 0.84 },
    play: [SHARED_STEP, 'Talk about seats.'],
    decisionTimeline: '1-2 weeks',
    at: NOW,
    cause: { type: 'signal', signalId: 's-1' },
    ...more,
  }
}

export function alertEvent(more: Partial<AlertEvent> = {}): AlertEvent {
  return {
    type: 'alert',
    id: 'a1',
    accountId: 'northwind-robotics',
    modelId: 'revenue',
    modelVersion: 1,
    alert: 'sponsor-left',
    title: 'The sponsor left',
    priority: 'high',
    recipients: ['csm', '#expansion'],
    action: 'Find a new sponsor',
    score: 76,
    tier: 'ready',
    reasons: ['No login of the sponsor for 14 days'],
    evidence: { daysSinceLogin: 14 },
    at: NOW,
    cause: { type: 'window' },
    ...more,
  }
}

export function consoleContext(more: Partial<ConsoleContext> = {}): ConsoleContext {
  return {
    title: accountId => (accountId === 'northwind-robotics' ? 'Northwind Robotics' : undefined),
    model: modelId => (modelId === MODEL.id ? MODEL : undefined),
    width: 80,
    color: false,
    now: NOW,
    ...more,
  }
}
