import fc from 'fast-check'
import {
  DIMENSIONS,
  type FeatureDefinition,
  type Level,
  type Selection,
  type Window,
} from '../../../src/scoring/definition/feature-definition.ts'
import { arbitraryFormula, namesOfType, readableOf } from './arbitrary-conditions.ts'
import { arbitraryLimit } from './arbitrary-numbers.ts'
import {
  ACTIVITY_KINDS,
  DAY_WINDOWS,
  HOUR_WINDOWS,
  KEYS,
  PATTERNS,
  PLANS,
  PREFIXED_PROPERTIES,
  SHORT_WINDOWS,
} from './vocabulary.ts'

/** Random features of every type. */

type FeatureBody = FeatureDefinition extends infer F ? (F extends unknown ? Omit<F, 'name'> : never) : never

const arbitraryDayWindow = fc.constantFrom(...DAY_WINDOWS, ...SHORT_WINDOWS)

const arbitraryWindow: fc.Arbitrary<Window> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ unit: fc.constant('day' as const), length: arbitraryDayWindow }) },
  {
    weight: 1,
    arbitrary: fc.record({ unit: fc.constant('hour' as const), length: fc.constantFrom(...HOUR_WINDOWS) }),
  },
)

export const arbitrarySelection: fc.Arbitrary<Selection> = fc.record({
  kinds: fc.subarray([...ACTIVITY_KINDS], { minLength: 1 }),
  names: fc.option(fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
    freq: 2,
  }),
  except: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.uniqueArray(fc.constantFrom('seat.removed', 'seat.in*', 'report.*', 'limit.reached'), {
      minLength: 1,
      maxLength: 2,
    }),
  ),
})

const arbitraryLevel: fc.Arbitrary<Level> = fc.record({
  edge: fc.constantFrom('from' as const, 'above' as const),
  limit: arbitraryLimit,
})

const arbitraryMeasure = fc.constantFrom('count' as const, 'sum' as const)

/** Mostly keys that many signals carry; for `latest`, mostly with the type that they carry. */
const arbitraryKey = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('traits.seats', 'contract.renewsOn') },
  fc.constantFrom(...KEYS, 'traits.never'),
)
/** The length of a period in days, and the most periods: 400 days in all. */
const PERIODS: readonly (readonly [periodDays: number, max: number])[] = [
  [1, 3],
  [1, 400],
  [2, 5],
  [3, 2],
  [7, 8],
  [30, 13],
  [100, 4],
  [400, 1],
]

const FALLBACKS = { number: 3, string: PLANS[1], boolean: true } as const

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

/** Keys whose history has many numbers near the levels. */
const arbitraryNumericKey = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('traits.seats', 'health.seats', 'contract.seats') },
  arbitraryKey,
)

const arbitraryMaxAge = fc.constantFrom(undefined, undefined, 0, 1, 2, 30, 365, 500)

const arbitraryDecayed = fc.record({
  type: fc.constant('decayed' as const),
  measure: arbitraryMeasure,
  select: arbitrarySelection,
  window: arbitraryWindow,
  halfLife: fc.constantFrom(1, 2, 7, 14, 0.5, 40),
})

const arbitrarySustained = fc.oneof(
  fc.record({
    type: fc.constant('daysSustained' as const),
    key: arbitraryNumericKey,
    per: fc.option(arbitraryNumericKey, { nil: undefined, freq: 2 }),
    level: arbitraryLevel,
    max: fc.constantFrom(1, 2, 5, 30, 60, 400),
  }),
  fc
    .record({
      measure: arbitraryMeasure,
      select: arbitrarySelection,
      per: fc.option(arbitraryNumericKey, { nil: undefined, freq: 2 }),
      level: fc.record({
        edge: fc.constantFrom('from' as const, 'above' as const),
        limit: fc.constantFrom(1, 1, 2, 3, 0.1, 0.5, 1.5),
      }),
      period: fc.constantFrom(...PERIODS),
    })
    .map(({ period: [periodDays, max], ...rest }) => ({
      type: 'periodsSustained' as const,
      ...rest,
      periodDays,
      max,
    })),
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
    dimension: fc.constantFrom(...DIMENSIONS),
    windowDays: arbitraryDayWindow,
  }),
  {
    weight: 4,
    arbitrary: fc
      .tuple(arbitraryKeyAndType, arbitraryMaxAge, fc.boolean())
      .map(([read, maxAgeDays, fallsBack]) => ({
        type: 'latest' as const,
        ...read,
        maxAgeDays,
        fallback: fallsBack ? FALLBACKS[read.valueType] : undefined,
      })),
  },
  { weight: 2, arbitrary: arbitraryDecayed },
  { weight: 4, arbitrary: arbitrarySustained },
  {
    weight: 2,
    arbitrary: fc
      .record({ windowDays: fc.constantFrom(1, 2, 3, 5, 7, 29, 30), days: fc.constantFrom(1, 2, 2, 3, 5) })
      .map(({ windowDays, days }) => ({
        type: 'powerUsers' as const,
        windowDays,
        days: Math.min(days, windowDays),
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('knownKeys' as const),
      pattern: fc.constantFrom(
        'traits.stakeholder.*',
        'traits.stakeholder.*',
        'traits.*',
        'health.*',
        ...PREFIXED_PROPERTIES.map(property => `traits.${property}`),
      ),
      maxAgeDays: arbitraryMaxAge,
    }),
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

type Derived =
  | { readonly type: 'ratio' | 'largest' | 'smallest'; readonly of: readonly number[] }
  | { readonly type: 'formula' }

const arbitraryDerived: fc.Arbitrary<Derived> = fc.oneof(
  fc.record({
    type: fc.constantFrom('ratio' as const, 'largest' as const, 'smallest' as const),
    of: fc.array(fc.nat(), { minLength: 2, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('formula' as const) }),
)

/**
 * Features `f0`, `f1`, …: root features first, then ratios, extremes and formulas of the features before
 * them. `f0` is a number.
 */
export const arbitraryFeatures: fc.Arbitrary<FeatureDefinition[]> = fc
  .record({
    first: fc.record({
      type: fc.constant('count' as const),
      select: arbitrarySelection,
      window: arbitraryWindow,
    }),
    readers: fc.array(arbitraryReader, { minLength: 3, maxLength: 8, size: 'max' }),
    derived: fc.array(arbitraryDerived, { maxLength: 3 }),
  })
  .chain(({ first, readers, derived }) =>
    derived.reduce<fc.Arbitrary<FeatureDefinition[]>>(
      (before, next) => before.chain(features => withDerived(features, next)),
      fc.constant([first, ...readers].map(nameFeature)),
    ),
  )

function withDerived(
  features: readonly FeatureDefinition[],
  derived: Derived,
): fc.Arbitrary<FeatureDefinition[]> {
  const add = (body: FeatureBody) => [...features, nameFeature(body, features.length)]
  if (derived.type === 'formula')
    return arbitraryFormula(readableOf(features)).map(formula => add({ type: 'formula', formula }))
  const numbers = namesOfType(features, 'number')
  const [a, b, ...others] = derived.of.map(index => numbers[index % numbers.length]!) as [string, string]
  return fc.constant(
    add(
      derived.type === 'ratio'
        ? { type: 'ratio', of: a, to: b }
        : { type: derived.type, of: [a, b, ...others] },
    ),
  )
}

function nameFeature(body: FeatureBody, index: number): FeatureDefinition {
  return { name: `f${index}`, ...body } as FeatureDefinition
}
