import fc from 'fast-check'
import type {
  Band,
  Case,
  Condition,
  Dimension,
  Expression,
  FeatureDefinition,
  GateDefinition,
  GroupDefinition,
  Line,
  MissingPolicy,
  ModelDefinition,
  RuleDefinition,
  Selection,
  TierDefinition,
  TriggerDefinition,
  Window,
} from '../../src/scoring/model-definition.ts'
import { MOTIONS } from '../../src/scoring/model-definition.ts'
import type { PropertyValue, Signal, SignalKind } from '../../src/scoring/signal.ts'
import type { HistoryRecord } from './slow-evaluator.ts'

/**
 * Random models and logs for property tests. Everything is drawn from small vocabularies, so that names, keys, users,
 * days and ids collide; and close to the edges of the rules: midnights, full hours, 48 hours, 400 days.
 */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Logs begin in the days after this; 29 February 2024 is within reach. */
const EPOCH = Date.UTC(2023, 10, 20)

const MODEL_IDS = ['growth', 'health'] as const
const ACTIVITY_KINDS = ['usage', 'intent', 'outcome'] as const
const FACT_KINDS = ['traits', 'health', 'contract'] as const
const NAMES = ['seat.invited', 'seat.removed', 'report.exported', 'limit.reached'] as const
const PATTERNS = [...NAMES, 'seat.*', 're*', '*', 'never.sent'] as const
const PROPERTIES = ['seats', 'plan', 'trial', 'renewsOn'] as const
const PLANS = ['free', 'pro', 'team'] as const
const TIER_NAMES = ['cold', 'warm', 'hot', 'ready'] as const
const TRIGGER_NAMES = ['seats', 'upgrade', 'renew'] as const
const GATE_NAMES = ['healthy', 'quiet'] as const
const VALUE_DIMENSIONS: readonly Dimension[] = ['team', 'location', 'product']
const KEYS = FACT_KINDS.flatMap(kind => PROPERTIES.map(property => `${kind}.${property}`))

const DAY_WINDOWS = [1, 2, 3, 7, 28, 30, 90, 199, 200, 201, 365, 399, 400] as const
const HOUR_WINDOWS = [1, 2, 6, 24, 47, 48] as const

// ---- Models ----

export interface ModelOptions {
  readonly id?: string
  readonly version?: number
}

/** A small model with everything that the language has. */
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
      }),
    )
    .chain(model => arbitraryTriggers(model).map(triggers => ({ ...model, triggers })))
}

type FeatureBody = FeatureDefinition extends infer F ? (F extends unknown ? Omit<F, 'name'> : never) : never

const arbitraryDayWindow = fc.constantFrom(...DAY_WINDOWS)

const arbitraryWindow: fc.Arbitrary<Window> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ unit: fc.constant('day' as const), length: arbitraryDayWindow }) },
  {
    weight: 1,
    arbitrary: fc.record({ unit: fc.constant('hour' as const), length: fc.constantFrom(...HOUR_WINDOWS) }),
  },
)

const arbitrarySelection: fc.Arbitrary<Selection> = fc.record({
  kinds: fc.subarray([...ACTIVITY_KINDS], { minLength: 1 }),
  names: fc.option(fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
    freq: 1,
  }),
})

/** Mostly keys of which much is heard, and in `latest` mostly of the type that is mostly sent. */
const arbitraryKey = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('traits.seats', 'contract.renewsOn') },
  fc.constantFrom(...KEYS, 'traits.never'),
)
const arbitraryKeyAndType = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      { key: 'traits.seats', valueType: 'number' as const },
      { key: 'health.seats', valueType: 'number' as const },
      { key: 'traits.plan', valueType: 'string' as const },
      { key: 'traits.trial', valueType: 'boolean' as const },
    ),
  },
  fc.record({
    key: arbitraryKey,
    valueType: fc.constantFrom('number' as const, 'string' as const, 'boolean' as const),
  }),
)

const arbitraryReader: fc.Arbitrary<FeatureBody> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'count' as const,
        'sum' as const,
        'distinctNames' as const,
        'activeDays' as const,
      ),
      select: arbitrarySelection,
      window: arbitraryWindow,
    }),
  },
  fc.record({ type: fc.constant('distinctUsers' as const), windowDays: arbitraryDayWindow }),
  fc.record({
    type: fc.constantFrom('distinctValues' as const, 'newValues' as const),
    dimension: fc.constantFrom(...VALUE_DIMENSIONS),
    windowDays: arbitraryDayWindow,
  }),
  {
    weight: 4,
    arbitrary: fc
      .tuple(arbitraryKeyAndType, fc.constantFrom(undefined, undefined, 1, 30, 365, 500))
      .map(([read, maxAgeDays]) => ({ type: 'latest' as const, ...read, maxAgeDays })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('daysUntil' as const, 'daysSince' as const),
      key: arbitraryKey,
      everyYear: fc.boolean(),
      min: fc.constantFrom(-1000, -30, 0, 5),
      max: fc.constantFrom(30, 90, 1000),
    }),
  },
  fc.record({
    type: fc.constant('daysSinceSignal' as const),
    select: arbitrarySelection,
    max: fc.constantFrom(7, 90, 500),
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('growth' as const),
      of: fc.oneof(
        fc.record({ key: arbitraryKey }),
        fc.record({ select: arbitrarySelection, measure: fc.constantFrom('count' as const, 'sum' as const) }),
      ),
      windowDays: arbitraryDayWindow,
    }),
  },
)

/** Features `f0`, `f1`, …: readers, then ratios and extremes of the numbers before them. The first one is a number. */
const arbitraryFeatures: fc.Arbitrary<FeatureDefinition[]> = fc
  .record({
    first: fc.record({
      type: fc.constant('count' as const),
      select: arbitrarySelection,
      window: arbitraryWindow,
    }),
    readers: fc.array(arbitraryReader, { minLength: 3, maxLength: 8, size: 'max' }),
    derived: fc.array(
      fc.record({
        type: fc.constantFrom('ratio' as const, 'largest' as const, 'smallest' as const),
        of: fc.array(fc.nat(), { minLength: 2, maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ first, readers, derived }) => {
    const features: FeatureDefinition[] = [first, ...readers].map(nameFeature)
    for (const { type, of } of derived) {
      const numbers = namesOfType(features, 'number')
      const [a, b, ...others] = of.map(index => numbers[index % numbers.length]!) as [string, string]
      const body: FeatureBody = type === 'ratio' ? { type, of: a, to: b } : { type, of: [a, b, ...others] }
      features.push(nameFeature(body, features.length))
    }
    return features
  })

function nameFeature(body: FeatureBody, index: number): FeatureDefinition {
  return { name: `f${index}`, ...body } as FeatureDefinition
}

function namesOfType(
  features: readonly FeatureDefinition[],
  type: 'number' | 'string' | 'boolean',
): readonly string[] {
  return features
    .filter(feature => (feature.type === 'latest' ? feature.valueType : 'number') === type)
    .map(({ name }) => name)
}

/** With one decimal, so that sums and products are not exact in doubles. */
const arbitraryPoints = fc.integer({ min: -20, max: 150 }).map(tenths => tenths / 10)

/** Limits near what features give: counts, days, ratios. */
const arbitraryLimit = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 40 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 0.1, 0.25, 0.3, 0.5, 1.5, 90, 365) },
)

function arbitraryLine(features: readonly FeatureDefinition[]): fc.Arbitrary<Line> {
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
      fc.array(fc.record({ when: arbitraryCondition({ features }), points }), { minLength: 1, maxLength: 3 }),
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
      // A group needs a rule that can give something.
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
    names: fc.subarray([...TIER_NAMES], { minLength: 2 }),
    edges: fc.uniqueArray(fc.constantFrom(1, 2, 4, 5.5, 8, 12, 18.5, 24.5, 40), {
      minLength: 3,
      maxLength: 3,
    }),
    lowest: fc.constantFrom(0, 0, -20, 1),
  })
  .map(({ names, edges, lowest }) => {
    const from = [lowest, ...edges.sort((a, b) => a - b)]
    return names.map((name, index) => ({ name, title: name, from: from[index]!, action: `do ${name}` }))
  })

function arbitraryGates(features: readonly FeatureDefinition[]): fc.Arbitrary<GateDefinition[]> {
  return fc.subarray([...GATE_NAMES], { minLength: 1 }).chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc.record({
          name: fc.constant(name),
          title: fc.constant(name),
          open: arbitraryCondition({ features }),
          missing: fc.constantFrom('open' as const, 'closed' as const),
        }),
      ),
    ),
  )
}

/** Cooldown and expiry, ms. Together never short: a condition that is always true gives a PQL so often, for 500 days. */
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
  const reasons = features.map(({ name }) => `${name} is {${name}}, that is {${name}%}`)
  return fc.subarray([...TRIGGER_NAMES], { minLength: 1 }).chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc
          .record({
            name: fc.constant(name),
            motion: fc.constantFrom(...MOTIONS),
            when: arbitraryCondition({ features, tiers: tiers.map(tier => tier.name) }),
            gates: fc.subarray(
              gates.map(gate => gate.name),
              { minLength: gates.length > 1 ? 1 : 0 },
            ),
            period: fc.constantFrom(...PERIODS),
            reason: fc.constantFrom(...reasons, '{score} in {tier}, {score%}', 'no value, {unnamed}'),
            play: fc.constant([`call about ${name}`]),
            decisionTimeline: fc.constant('two weeks'),
          })
          .map(({ period: [cooldownMs, expiryMs], ...trigger }) => ({ ...trigger, cooldownMs, expiryMs })),
      ),
    ),
  )
}

// ---- Conditions ----

interface Readable {
  readonly features: readonly FeatureDefinition[]
  /** In a trigger: its condition may also read `score` and `tier`. */
  readonly tiers?: readonly string[]
}

/** Conditions are well typed: that is what makes a condition checked. */
function arbitraryCondition(readable: Readable): fc.Arbitrary<Condition> {
  return arbitraryTruth(readable).map(expression => ({ text: 'drawn', expression }))
}

function arbitraryTruth({ features, tiers }: Readable): fc.Arbitrary<Expression> {
  const numbers = [...namesOfType(features, 'number'), ...(tiers === undefined ? [] : ['score'])]
  const texts = [...namesOfType(features, 'string'), ...(tiers === undefined ? [] : ['tier'])]
  const truths = namesOfType(features, 'boolean')
  const words = [...PLANS, ...(tiers ?? [])]
  const depth = fc.createDepthIdentifier()
  const options = { maxDepth: 3, depthIdentifier: depth, depthSize: 'small' } as const

  const literal = <T extends number | string | boolean>(value: fc.Arbitrary<T>) =>
    fc.record({ type: fc.constant('literal' as const), value })
  const feature = (names: readonly string[]) =>
    fc.record({ type: fc.constant('feature' as const), name: fc.constantFrom(...names) })
  const conditional = (test: fc.Arbitrary<Expression>, of: fc.Arbitrary<Expression>) =>
    // biome-ignore lint/suspicious/noThenProperty: the language's own word; nobody awaits an expression
    fc.record({ type: fc.constant('conditional' as const), test, then: of, otherwise: of })
  const equality = fc.constantFrom('==' as const, '!=' as const)
  const order = fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const)

  const simple: fc.Arbitrary<Expression> = fc.record({
    type: fc.constant('compare' as const),
    operator: order,
    left: feature(numbers),
    right: literal(arbitraryLimit),
  })
  const { truth } = fc.letrec<{ truth: Expression; number: Expression }>(tie => ({
    number: fc.oneof(
      options,
      { weight: 5, arbitrary: feature(numbers) },
      { weight: 3, arbitrary: literal(arbitraryLimit) },
      fc.record({
        type: fc.constant('arithmetic' as const),
        operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
        left: tie('number'),
        right: tie('number'),
      }),
      fc.record({ type: fc.constant('negate' as const), of: tie('number') }),
      conditional(tie('truth'), tie('number')),
    ),
    truth: fc.oneof(
      options,
      { weight: 8, arbitrary: simple },
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant('compare' as const),
          operator: fc.oneof({ weight: 4, arbitrary: order }, equality),
          left: tie('number'),
          right: tie('number'),
        }),
      },
      ...(texts.length === 0
        ? []
        : [
            fc.record({
              type: fc.constant('compare' as const),
              operator: fc.oneof(equality, order),
              left: feature(texts),
              right: literal(fc.constantFrom(...words)),
            }),
            fc.record({
              type: fc.constant('in' as const),
              of: feature(texts),
              list: fc.subarray(words, { minLength: 1 }),
            }),
          ]),
      fc.record({
        type: fc.constant('in' as const),
        of: tie('number'),
        list: fc.array(arbitraryLimit, { minLength: 1, maxLength: 3 }),
      }),
      ...(truths.length === 0 ? [] : [feature(truths)]),
      fc.record({
        type: fc.constant('known' as const),
        name: fc.constantFrom(...features.map(({ name }) => name)),
      }),
      literal(fc.boolean()),
      fc.record({ type: fc.constant('not' as const), of: tie('truth') }),
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constantFrom('and' as const, 'or' as const),
          left: tie('truth'),
          right: tie('truth'),
        }),
      },
      conditional(tie('truth'), tie('truth')),
    ),
  }))
  // Deep conditions are mostly always the same; simple ones turn.
  return fc.oneof(simple, truth)
}

// ---- Histories ----

export interface HistoryOptions {
  readonly accounts: number
  /** The most records after the `models` record that comes first; as many on average as half of it. */
  readonly length: number
  /** How many further `models` records there may be. */
  readonly modelChanges?: number
}

/**
 * A log that begins with one or two models. Its timestamps do not go back, and span hours, weeks, or up to about 500 days.
 * It is drawn as relative steps, so that what a failing one shrinks to is still such a log.
 */
export function arbitraryHistory(options: HistoryOptions): fc.Arbitrary<HistoryRecord[]> {
  const { accounts, length, modelChanges = 2 } = options
  const versions = (version: number) => fc.tuple(...MODEL_IDS.map(id => arbitraryModel({ id, version })))
  return fc
    .record({
      start: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * DAY_MS })),
      pace: fc.constantFrom('hours' as const, 'weeks' as const, 'months' as const),
      first: versions(1),
      second: fc.option(versions(2), { nil: undefined }),
      actives: fc.array(fc.tuple(fc.nat(), arbitraryActive), { maxLength: modelChanges }),
      active: arbitraryActive,
      steps: fc.array(fc.record({ gap: arbitraryGap, what: arbitraryStep(accounts) }), {
        maxLength: length,
        size: 'max',
      }),
    })
    .map(({ start, pace, first, second, actives, active, steps }) => {
      const choose = (of: Active) =>
        MODEL_IDS.flatMap((_, index) => {
          const version = of[index]!
          return version === 'none' ? [] : [version === 'second' ? (second ?? first)[index]! : first[index]!]
        })
      const records: HistoryRecord[] = [{ timestamp: EPOCH + start, models: choose(active) }]
      const places = actives.map(
        ([at, models]) => [steps.length === 0 ? 0 : at % steps.length, models] as const,
      )
      const sent: Signal[] = []
      let time = EPOCH + start
      for (const [index, { gap, what }] of steps.entries()) {
        time = Math.min(advance(time, gap, pace), Math.max(time, EPOCH + 520 * DAY_MS))
        for (const [place, models] of places)
          if (place === index) records.push({ timestamp: time, models: choose(models) })
        if (what.type === 'tick') {
          records.push({ timestamp: time, tick: true })
          continue
        }
        const signal = toSignal(what, sent, time)
        sent.push(signal)
        records.push({ timestamp: time, signal })
      }
      return records
    })
}

type Active = readonly ('first' | 'second' | 'none')[]

const arbitraryActive: fc.Arbitrary<Active> = fc
  .tuple(fc.constantFrom('first', 'second', 'none'), fc.constantFrom('none', 'first', 'second'))
  // Shrinks to the first model alone.
  .map(([one, other]) => [one, other] as Active)

type Gap =
  | { readonly type: 'none' | 'midnight' | 'full hour' }
  | { readonly type: 'short' | 'long'; readonly part: number }

const arbitraryGap: fc.Arbitrary<Gap> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('none' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('short' as const), part: fc.integer({ min: 0, max: 1000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('long' as const), part: fc.integer({ min: 0, max: 1000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('midnight' as const, 'full hour' as const) }) },
)

type Pace = 'hours' | 'weeks' | 'months'

const LONGEST_GAPS_MS: Readonly<Record<Pace, { readonly short: number; readonly long: number }>> = {
  hours: { short: 20 * MINUTE_MS, long: 6 * HOUR_MS },
  weeks: { short: 5 * HOUR_MS, long: 4 * DAY_MS },
  months: { short: 2 * DAY_MS, long: 150 * DAY_MS },
}

function advance(time: number, gap: Gap, pace: Pace): number {
  switch (gap.type) {
    case 'none':
      return time
    case 'midnight':
      return (Math.floor(time / DAY_MS) + 1) * DAY_MS
    case 'full hour':
      return (Math.floor(time / HOUR_MS) + 1) * HOUR_MS
    case 'short':
    case 'long':
      return time + Math.round((LONGEST_GAPS_MS[pace][gap.type] * gap.part) / 1000)
  }
}

/** `repeat` sends an exact copy of an earlier signal, `borrow` the id of one for something else. */
type SignalStep = {
  readonly type: 'new' | 'borrow' | 'repeat'
  readonly account: number
  readonly back: number
  readonly lateness: Lateness
  readonly body: Pick<Signal, 'kind' | 'name' | 'userId' | 'quantityThousandths' | 'properties'>
}

function arbitraryStep(accounts: number): fc.Arbitrary<SignalStep | { readonly type: 'tick' }> {
  const signal = (type: SignalStep['type'], back: fc.Arbitrary<number>): fc.Arbitrary<SignalStep> =>
    fc.record({
      type: fc.constant(type),
      account: fc.integer({ min: 0, max: accounts - 1 }),
      back,
      lateness: arbitraryLateness,
      body: fc.oneof({ weight: 3, arbitrary: arbitraryActivity }, { weight: 2, arbitrary: arbitraryFact }),
    })
  return fc.oneof(
    { weight: 20, arbitrary: signal('new', fc.constant(0)) },
    { weight: 2, arbitrary: signal('repeat', fc.integer({ min: 1, max: 4 })) },
    { weight: 2, arbitrary: signal('repeat', fc.integer({ min: 5, max: 60 })) },
    { weight: 1, arbitrary: signal('borrow', fc.integer({ min: 1, max: 20 })) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('tick' as const) }) },
  )
}

const arbitraryActivity = fc.record({
  kind: fc.constantFrom<SignalKind>(...ACTIVITY_KINDS),
  name: fc.constantFrom(...NAMES),
  userId: fc.constantFrom(undefined, 'u1', 'u2', 'u3', 'u4', 'u5'),
  quantityThousandths: fc.constantFrom(1000, 1000, 0, 1, 333, 1500, 999_999),
  properties: fc.record(
    {
      team: fc.constantFrom<PropertyValue>('a', 'b', 'c', null, 7),
      location: fc.constantFrom<PropertyValue>('a', 'b', 'berlin', true),
      product: fc.constantFrom<PropertyValue>('core', 'add-on'),
    },
    { requiredKeys: [] },
  ),
})

const arbitraryPropertyValue: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -1, max: 8 }) },
  fc.constantFrom(0, 0.1, 0.3, 33.333, -2.5, 60, 1e9),
  fc.boolean(),
  fc.constantFrom(...PLANS),
  fc.constant(null),
)

const arbitraryDate: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -500, max: 900 }).map(days => isoDay(EPOCH + days * DAY_MS)) },
  fc.integer({ min: EPOCH - 100 * DAY_MS, max: EPOCH + 600 * DAY_MS }),
  fc.constantFrom(
    '2024-02-29',
    '2020-02-29T12:00:00Z',
    '2024-03-01',
    '2023-12-31T23:59:59-11:00',
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    'next year',
    '',
    '24-01-01',
  ),
  fc.constant(null),
)

const arbitraryFact = fc.record({
  kind: fc.constantFrom<SignalKind>('traits', 'traits', 'traits', 'health', 'contract', 'contract'),
  name: fc.constant('updated'),
  userId: fc.constantFrom(undefined, 'u1', 'u9'),
  quantityThousandths: fc.constant(1000),
  properties: fc.record(
    {
      seats: arbitraryPropertyValue,
      plan: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom<PropertyValue>(...PLANS) },
        arbitraryPropertyValue,
      ),
      trial: fc.oneof({ weight: 3, arbitrary: fc.boolean() }, arbitraryPropertyValue),
      renewsOn: fc.oneof({ weight: 5, arbitrary: arbitraryDate }, arbitraryPropertyValue),
    },
    { requiredKeys: [] },
  ),
})

/** When a signal occurred, seen from its timestamp. */
type Lateness =
  | { readonly type: 'on time' | 'first moment of the day' | 'same as the one before' }
  | { readonly type: 'late' | 'early'; readonly ms: number }

const arbitraryLateness: fc.Arbitrary<Lateness> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: fc.constant('on time' as const) }) },
  fc.record({ type: fc.constantFrom('first moment of the day' as const, 'same as the one before' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('late' as const),
      ms: fc.oneof(
        fc.integer({ min: 1, max: 3 * HOUR_MS }),
        fc.integer({ min: HOUR_MS, max: 50 * HOUR_MS }),
        fc.integer({ min: DAY_MS, max: 90 * DAY_MS }),
        fc.constantFrom(
          DAY_MS,
          30 * DAY_MS,
          398 * DAY_MS,
          399 * DAY_MS,
          400 * DAY_MS,
          401 * DAY_MS,
          800 * DAY_MS,
        ),
      ),
    }),
  },
  fc.record({
    type: fc.constant('early' as const),
    ms: fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: 5 * MINUTE_MS }),
      fc.integer({ min: 1, max: DAY_MS }),
    ),
  }),
)

function toSignal(step: SignalStep, sent: readonly Signal[], timestamp: number): Signal {
  const earlier = step.back === 0 ? undefined : sent.at(-step.back)
  if (step.type === 'repeat' && earlier !== undefined) return earlier
  return {
    id: step.type === 'borrow' && earlier !== undefined ? earlier.id : `s${sent.length}`,
    accountId: `account-${step.account}`,
    ...step.body,
    occurredAt: occurredAtOf(step.lateness, sent.at(-1), timestamp),
  }
}

function occurredAtOf(lateness: Lateness, before: Signal | undefined, timestamp: number): number {
  switch (lateness.type) {
    case 'on time':
      return timestamp
    case 'first moment of the day':
      return Math.floor(timestamp / DAY_MS) * DAY_MS
    case 'same as the one before':
      return before?.occurredAt ?? timestamp
    case 'late':
      return timestamp - lateness.ms
    case 'early':
      return timestamp + lateness.ms
  }
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

// ---- Batches ----

/** Cuts a list into batches, in order; some may be empty. */
export function arbitrarySplit<T>(items: readonly T[]): fc.Arbitrary<T[][]> {
  return fc.array(fc.nat({ max: items.length }), { maxLength: 8 }).map(places =>
    splitAt(
      items,
      places.sort((a, b) => a - b),
    ),
  )
}

/** A history with a way to cut it, for tests of both together. */
export function arbitraryBatches(options: HistoryOptions): fc.Arbitrary<HistoryRecord[][]> {
  return arbitraryHistory(options).chain(arbitrarySplit)
}

export function splitAt<T>(items: readonly T[], places: readonly number[]): T[][] {
  return [...places, items.length].map((end, index) => items.slice(places[index - 1] ?? 0, end))
}

/** The time after which nothing that the history says can still be on its way: ends it with a tick that passes all before it. */
export function endWithTick(history: readonly HistoryRecord[], afterMs: number): HistoryRecord[] {
  const last = Math.max(
    0,
    ...history.map(record =>
      'signal' in record ? Math.max(record.timestamp, record.signal.occurredAt) : record.timestamp,
    ),
  )
  return [...history, { timestamp: last + afterMs, tick: true }]
}
