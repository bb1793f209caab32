import fc from 'fast-check'
import type { FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import type {
  Band,
  Case,
  GateDefinition,
  GroupDefinition,
  LinearPoints,
  MissingPolicy,
  ModelDefinition,
  RuleDefinition,
  TierDefinition,
  TriggerDefinition,
} from '../../../src/scoring/definition/model-definition.ts'
import { MOTIONS } from '../../../src/scoring/definition/model-definition.ts'
import { arbitraryAlerts } from './arbitrary-alerts.ts'
import { arbitraryAmount, arbitraryCondition, namesOfType, readableOf } from './arbitrary-conditions.ts'
import { arbitraryFeatures } from './arbitrary-features.ts'
import { arbitraryLimit, arbitraryPoints } from './arbitrary-numbers.ts'
import { arbitraryFacets, arbitraryKpis, arbitraryRates, arbitraryScope } from './arbitrary-population.ts'
import { DAY_MS, GATE_NAMES, HOUR_MS, MINUTE_MS, MODEL_IDS, TIER_NAMES, TRIGGER_NAMES } from './vocabulary.ts'

/** Random models, close to the edges of the rules. */

export interface ModelOptions {
  readonly id?: string
  readonly version?: number
}

/** A small model that may use every part of the language. */
export function arbitraryModel(options: ModelOptions = {}): fc.Arbitrary<ModelDefinition> {
  const id = options.id ?? MODEL_IDS[0]
  return fc
    .tuple(arbitraryFeatures, arbitraryTiers)
    .chain(([features, tiers]) =>
      fc.record({
        id: fc.constant(id),
        version: fc.constant(options.version ?? 1),
        name: fc.constant(`Model ${id}`),
        score: fc.record({
          scale: fc.constantFrom(1, 2.5, 10),
          min: fc.constantFrom(0, 0, 0, -20, 5),
          max: fc.constantFrom(100, 100, 60, 20.5),
          decimals: fc.constantFrom(0, 1, 2, 6),
        }),
        features: fc.constant(features),
        groups: arbitraryGroups(features),
        tiers: fc.constant(tiers),
        tierPolicy: fc.record({
          margin: fc.constantFrom(0, 0, 0.1, 1, 2.5, 10),
          dwellMs: fc.constantFrom(0, 0, HOUR_MS, 90 * MINUTE_MS, DAY_MS, 3 * DAY_MS),
        }),
        gates: arbitraryGates(features),
        triggers: fc.constant([]),
        alerts: fc.constant([]),
        scope: arbitraryScope(readableOf(features)),
        facets: arbitraryFacets,
        rates: arbitraryRates,
        kpis: arbitraryKpis,
      }),
    )
    .chain(model =>
      fc
        .record({ triggers: arbitraryTriggers(model), alerts: arbitraryAlerts(model) })
        .map(more => ({ ...model, ...more })),
    )
}

function arbitraryLine(features: readonly FeatureDefinition[]): fc.Arbitrary<LinearPoints> {
  return fc.record({
    of: fc.constantFrom(...namesOfType(features, 'number')),
    corners: fc
      .uniqueArray(fc.tuple(arbitraryLimit, arbitraryPoints), {
        minLength: 1,
        maxLength: 4,
        selector: ([x]) => x,
      })
      .map(corners => corners.sort(([a], [b]) => a - b)),
  })
}

function arbitraryBands(): fc.Arbitrary<Band[]> {
  return fc
    .uniqueArray(
      fc.record({
        limit: arbitraryLimit,
        edge: fc.constantFrom('from' as const, 'above' as const),
        points: arbitraryPoints,
      }),
      { minLength: 1, maxLength: 4, selector: ({ limit }) => limit },
    )
    .map(bands => bands.sort((a, b) => a.limit - b.limit))
}

function arbitraryCases(features: readonly FeatureDefinition[]): fc.Arbitrary<Case[]> {
  const points = fc.oneof({ weight: 2, arbitrary: arbitraryPoints }, arbitraryLine(features))
  return fc
    .tuple(
      fc.array(fc.record({ when: arbitraryCondition(readableOf(features)), points }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.option(fc.record({ when: fc.constant(undefined), points }), { nil: undefined }),
    )
    .map(([cases, otherwise]) => (otherwise === undefined ? cases : [...cases, otherwise]))
}

const arbitraryMissing: fc.Arbitrary<MissingPolicy> = fc.oneof(
  fc.constant({ type: 'exclude' as const }),
  fc.record({ type: fc.constant('points' as const), points: arbitraryPoints }),
)

function arbitraryRule(features: readonly FeatureDefinition[]): fc.Arbitrary<RuleDefinition> {
  const common = fc.record({
    title: fc.constant('A rule'),
    // 0: a rule that only takes points away.
    max: fc.constantFrom(10, 5, 2.5, 15, 0),
    missing: arbitraryMissing,
  })
  const body = fc.oneof(
    fc.record({ type: fc.constant('line' as const), line: arbitraryLine(features) }),
    fc.record({
      type: fc.constant('bands' as const),
      of: fc.constantFrom(...namesOfType(features, 'number')),
      bands: arbitraryBands(),
      below: arbitraryPoints,
    }),
    fc.record({ type: fc.constant('cases' as const), cases: arbitraryCases(features) }),
  )
  return fc.tuple(common, body).map(([first, second]) => ({ name: 'rule', ...first, ...second }))
}

function arbitraryGroups(features: readonly FeatureDefinition[]): fc.Arbitrary<GroupDefinition[]> {
  const group = fc.record({
    title: fc.constant('A group'),
    weight: fc.constantFrom(0.4, 0.25, 0.2, 0.15, 1, 3),
    max: fc.constantFrom(10, 7.5, 30),
    rules: fc.array(arbitraryRule(features), { minLength: 1, maxLength: 3 }),
  })
  return fc.array(group, { minLength: 1, maxLength: 3 }).map(groups =>
    groups.map((each, index) => ({
      name: `group${index}`,
      ...each,
      // A group needs a rule that can give points.
      rules: each.rules.map((rule, number) => ({
        ...rule,
        name: `rule${number}`,
        max: number === 0 && rule.max === 0 ? 10 : rule.max,
      })),
    })),
  )
}

const arbitraryTiers: fc.Arbitrary<TierDefinition[]> = fc
  .record({
    names: fc.shuffledSubarray([...TIER_NAMES], { minLength: 2 }),
    edges: fc.uniqueArray(fc.constantFrom(1, 2, 4, 5.5, 8, 12, 18.5, 24.5, 40), {
      minLength: 3,
      maxLength: 3,
    }),
    lowest: fc.constantFrom(0, 0, -20, 1),
    queues: fc.array(fc.constantFrom(undefined, 'expansion', 'renewals'), { minLength: 4, maxLength: 4 }),
  })
  .map(({ names, edges, lowest, queues }) => {
    const from = [lowest, ...edges.sort((a, b) => a - b)]
    return names.map((name, index) => ({
      name,
      title: name,
      from: from[index]!,
      action: `do ${name}`,
      queue: queues[index],
    }))
  })

function arbitraryGates(features: readonly FeatureDefinition[]): fc.Arbitrary<GateDefinition[]> {
  return fc.subarray([...GATE_NAMES], { minLength: 1 }).chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc.record({
          name: fc.constant(name),
          title: fc.constant(name),
          open: arbitraryCondition(readableOf(features)),
          missing: fc.constantFrom('open' as const, 'closed' as const),
        }),
      ),
    ),
  )
}

/**
 * Cooldown and expiry in ms. Their sum is never short: if a condition is always true, it makes a PQL this
 * often for 500 days.
 */
const PERIODS: readonly (readonly [cooldownMs: number, expiryMs: number])[] = [
  [HOUR_MS, 2 * DAY_MS],
  [5_000_001, 40_000_001],
  [1, 10 * DAY_MS],
  [DAY_MS, 1],
  [36 * HOUR_MS, 12 * HOUR_MS],
  [5 * DAY_MS, DAY_MS],
  [20 * DAY_MS, 60 * DAY_MS],
]

function arbitraryTriggers({ features, tiers, gates }: ModelDefinition): fc.Arbitrary<TriggerDefinition[]> {
  const readable = readableOf(
    features,
    tiers.map(({ name }) => name),
  )
  const reasons = features.map(({ name }) => `${name} is {${name}}, that is {${name}%}`)
  return fc.subarray([...TRIGGER_NAMES], { minLength: 1 }).chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc
          .record({
            name: fc.constant(name),
            motion: fc.constantFrom(...MOTIONS),
            when: arbitraryCondition(readable),
            gates: fc.subarray(
              gates.map(gate => gate.name),
              { minLength: gates.length > 1 ? 1 : 0 },
            ),
            period: fc.constantFrom(...PERIODS),
            reason: fc.constantFrom(...reasons, '{score} in {tier}, {score%}', 'no value, {unnamed}'),
            play: fc.constant([`call about ${name}`]),
            decisionTimeline: fc.constant('two weeks'),
            offer: fc.constantFrom(undefined, 'analytics'),
            confidence: fc.option(arbitraryAmount(readable), { nil: undefined, freq: 2 }),
            estimatedValue: fc.option(arbitraryAmount(readable), { nil: undefined, freq: 2 }),
          })
          .map(({ period: [cooldownMs, expiryMs], ...trigger }) => ({ ...trigger, cooldownMs, expiryMs })),
      ),
    ),
  )
}
