import { describe, expect, test } from 'vitest'
import type { FeatureDefinition } from '../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition, RuleDefinition } from '../../src/scoring/definition/model-definition.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { slowEvaluate } from '../support/slow/slow-evaluator.ts'
import { at, DAY_MS, HOUR_MS, model, models, pointsOf, START } from '../support/small-histories.ts'

/**
 * The peer's score as a model. Corners replace min(10, x / 3) and so on. Its own rules are in
 * `shared/peers/kafka-streams/README.md`.
 */
const ROLLING: ModelDefinition = model({
  id: 'rolling',
  score: { scale: 10, min: 0, max: 100, decimals: 0 },
  features: [
    rollingFeature('activeDays30', { type: 'activeDays' }, ['usage', 'intent']),
    rollingFeature('distinctNames30', { type: 'distinctNames' }, ['usage', 'intent']),
    { name: 'distinctUsers30', type: 'distinctUsers', windowDays: 30 },
    rollingFeature('intentCount30', { type: 'count' }, ['intent']),
  ],
  groups: (
    [
      ['usage', 0.4, 'activeDays30', 30],
      ['breadth', 0.25, 'distinctNames30', 8],
      ['users', 0.2, 'distinctUsers30', 20],
      ['intent', 0.15, 'intentCount30', 5],
    ] as const
  ).map(([name, weight, of, full]) => ({
    name,
    title: name,
    weight,
    max: 10,
    rules: [
      pointsOf(of, {
        max: 10,
        line: {
          of,
          corners: [
            [0, 0],
            [full, 10],
          ],
        },
      } as Partial<RuleDefinition>),
    ],
  })),
  tiers: [
    { name: 'none', title: '', from: 0, action: '', queue: undefined },
    { name: 'potential', title: '', from: 25, action: '', queue: undefined },
    { name: 'likely', title: '', from: 50, action: '', queue: undefined },
    { name: 'ready', title: '', from: 75, action: '', queue: undefined },
  ],
})

function rollingFeature(name: string, type: object, kinds: string[]): FeatureDefinition {
  const select = { kinds, names: undefined, except: [] }
  return { name, ...type, select, window: { unit: 'day', length: 30 } } as unknown as FeatureDefinition
}

interface PeerAccount {
  now: number
  readonly applied: Signal[]
  tier: string
}

const dayOf = (ms: number) => Math.floor(ms / DAY_MS)

/**
 * `reference.py --sweep`, with the score in integers as in the peer's README. The `at` of a change is the
 * account's clock.
 */
function peerChanges(signals: readonly Signal[]): string[] {
  const accounts = new Map<string, PeerAccount>()
  const changes: string[] = []
  const evaluatePeer = (account: PeerAccount, accountId: string, cause: string) => {
    const held = account.applied.filter(each => dayOf(each.occurredAt) >= dayOf(account.now) - 29)
    const different = (of: (each: Signal) => unknown) => new Set(held.map(of)).size
    const days = Math.min(
      30,
      different(each => dayOf(each.occurredAt)),
    )
    const names = Math.min(
      8,
      different(each => `${each.kind} ${each.name}`),
    )
    const users = Math.min(
      20,
      different(each => each.userId),
    )
    const intents = Math.min(5, held.filter(each => each.kind === 'intent').length)
    const score = Math.floor((32 * days + 75 * names + 24 * users + 72 * intents + 12) / 24)
    const tier = score >= 75 ? 'ready' : score >= 50 ? 'likely' : score >= 25 ? 'potential' : 'none'
    if (tier !== account.tier)
      changes.push([accountId, account.tier, tier, score, account.now, cause].join('|'))
    account.tier = tier
  }
  for (const event of signals) {
    const { accountId, occurredAt } = event
    const account = accounts.get(accountId) ?? { now: Number.NaN, applied: [], tier: 'none' }
    accounts.set(accountId, account)
    for (let day = dayOf(account.now) + 1; day <= dayOf(occurredAt); day += 1) {
      account.now = day * DAY_MS
      evaluatePeer(account, accountId, 'window')
    }
    if (dayOf(occurredAt) <= dayOf(account.now) - 30) continue
    if (account.applied.slice(-128).some(({ id }) => id === event.id)) continue
    account.applied.push(event)
    account.now = Number.isNaN(account.now) ? occurredAt : Math.max(account.now, occurredAt)
    evaluatePeer(account, accountId, event.id)
  }
  return changes.sort()
}

/** mulberry32: the same numbers in [0, 1) on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Signals as the peer's generator makes them: Zipf accounts, 90 % usage, up to 2 h of disorder, copies. A
 * copy comes at most 20 records later. So it is within 48 hours and within 128 ids, and both rules call it a
 * duplicate.
 */
function peerSignals(count: number, days: number, seed: number): Signal[] {
  const random = randomNumbers(seed)
  const upTo = (limit: number) => Math.floor(random() * limit)
  const signals: Signal[] = []
  while (signals.length < count) {
    const index = signals.length
    if (index > 20 && random() < 0.03) {
      signals.push(signals[index - 1 - upTo(20)]!)
      continue
    }
    const accountId = `acct-${Math.floor(40 ** random())}`
    const kind = random() < 0.9 ? 'usage' : 'intent'
    signals.push({
      id: `e-${index}`,
      kind,
      name: kind === 'usage' ? `feature.${upTo(8)}` : `wish.${upTo(3)}`,
      accountId,
      userId: `${accountId}-u${upTo(25)}`,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: START + Math.floor((index * days * DAY_MS) / count) - upTo(2 * HOUR_MS),
    })
  }
  return signals
}

describe('the rolling score of the Kafka Streams peer', () => {
  test.each([
    { count: 3_000, days: 60, seed: 42 },
    { count: 3_000, days: 200, seed: 7 },
    { count: 500, days: 300, seed: 1 },
  ])('has the same tier changes for $count signals over $days days', ({ count, days, seed }) => {
    const signals = peerSignals(count, days, seed)
    const expected = peerChanges(signals)
    const { events, accounts } = slowEvaluate([
      models(at(-1), ROLLING),
      ...signals.map(each => ({ timestamp: each.occurredAt, signal: each })),
    ])
    const changes = events.map(event => {
      if (event.type !== 'tier-change') throw new Error('the model has no triggers')
      const { accountId, from, to, score, cause } = event
      return [accountId, from, to, score, event.at, cause.signalId ?? cause.type].join('|')
    })
    expect(changes.sort()).toEqual(expected)
    expect(expected.length).toBeGreaterThan(30)
    expect([...accounts.values()].reduce((sum, { duplicates }) => sum + duplicates, 0)).toBeGreaterThan(5)
  })
})
