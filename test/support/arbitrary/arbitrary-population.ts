import fc from 'fast-check'
import {
  type AccountList,
  type FacetDefinition,
  MOTIONS,
  type ScopeDefinition,
} from '../../../src/scoring/definition/model-definition.ts'
import type {
  KpiSection,
  MeasureDefinition,
  RateDefinition,
} from '../../../src/scoring/definition/population-definition.ts'
import { arbitraryAmount, arbitraryCondition, type Readable } from './arbitrary-conditions.ts'
import { arbitrarySelection } from './arbitrary-features.ts'
import { PATTERNS } from './vocabulary.ts'

/** Random scopes, facets, rates and key figures. */

export function arbitraryScope(readable: Readable): fc.Arbitrary<ScopeDefinition> {
  const ids = fc.subarray(['account-0', 'account-1', 'account-2', 'nobody'], { minLength: 1 })
  const when = arbitraryCondition(readable)
  const list: fc.Arbitrary<AccountList> = fc.oneof(
    fc.record({ ids, when: fc.constant(undefined) }),
    { weight: 3, arbitrary: fc.record({ ids: fc.constant([]), when }) },
    fc.record({ ids, when }),
  )
  // Mostly all accounts: an account that is never in scope shows little.
  const everyone = fc.constant({ include: undefined, exclude: undefined })
  const some = fc.record({
    include: fc.option(list, { nil: undefined, freq: 2 }),
    exclude: fc.option(list, { nil: undefined, freq: 2 }),
  })
  return fc.oneof(everyone, some)
}

export const arbitraryFacets: fc.Arbitrary<FacetDefinition[]> = fc.subarray([
  { name: 'plan', key: 'traits.plan' },
  { name: 'csm', key: 'traits.csm' },
])

export const arbitraryRates: fc.Arbitrary<RateDefinition[]> = fc
  .subarray(['interest', 'breadth'])
  .chain(names =>
    fc.tuple(
      ...names.map(name =>
        fc.record({
          name: fc.constant(name),
          title: fc.constant(`Rate of ${name}`),
          select: arbitrarySelection,
          segments: fc.subarray([
            { name: 'plan', key: 'traits.plan', values: ['free', 'pro'] },
            { name: 'size', key: 'traits.seats', values: ['1', '2', '3'] },
            { name: 'trial', key: 'traits.trial', values: ['true'] },
          ]),
        }),
      ),
    ),
  )

const arbitrarySpan = fc.constantFrom('month' as const, 'month' as const, 'before' as const, 'until' as const)

const arbitraryWhere = fc.subarray([
  { property: 'motion', values: [MOTIONS[0], MOTIONS[1]] },
  { property: 'team', values: ['a', 7] },
  { property: 'location', values: [true, 'berlin'] },
])

const arbitraryMeasureBody = fc.oneof(
  fc.record({
    type: fc.constantFrom('count' as const, 'sum' as const),
    names: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 2 }),
    property: fc.constant(undefined),
    where: arbitraryWhere,
    span: arbitrarySpan,
  }),
  fc.record({
    type: fc.constant('sum' as const),
    names: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 2 }),
    property: fc.constant('amount'),
    where: arbitraryWhere,
    span: arbitrarySpan,
  }),
  fc.record({ type: fc.constantFrom('pqls' as const, 'accounts' as const), span: arbitrarySpan }),
  fc.record({ type: fc.constant('fixed' as const), value: fc.constantFrom(0, 2, 1000) }),
)

/** Measures `m0`, `m1`, …, and key figures over them. */
export const arbitraryKpis: fc.Arbitrary<KpiSection | undefined> = fc.option(
  fc
    .record({
      csmKey: fc.constantFrom(undefined, 'traits.csm', 'traits.csm'),
      bodies: fc.array(arbitraryMeasureBody, { minLength: 1, maxLength: 5, size: 'max' }),
    })
    .chain(({ csmKey, bodies }) => {
      const measures = bodies.map((body, index): MeasureDefinition => ({ name: `m${index}`, ...body }))
      const numbers = measures.map(({ name }) => name)
      const formula = arbitraryAmount({ numbers, texts: [], truths: [], words: ['none'] })
      return fc.record({
        csmKey: fc.constant(csmKey),
        measures: fc.constant(measures),
        kpis: fc.array(
          fc.record({
            name: fc.constant('coverage'),
            title: fc.constant('Coverage'),
            formula,
            unit: fc.constantFrom('percent' as const, 'money' as const),
            target: fc.constantFrom(undefined, { operator: '>' as const, value: 3 }),
          }),
          { maxLength: 1 },
        ),
      })
    }),
  { nil: undefined, freq: 2 },
)
