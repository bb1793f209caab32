import fc from 'fast-check'
import type { Condition, Expression, Formula } from '../../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import { arbitraryLimit } from './arbitrary-numbers.ts'
import { PLANS } from './vocabulary.ts'

/** Random expressions of the right types: a checked expression has no others. */

/** What an expression may read, by type. There is at least one number. */
export interface Readable {
  readonly numbers: readonly string[]
  readonly texts: readonly string[]
  readonly truths: readonly string[]
  /** Texts to compare with. */
  readonly words: readonly string[]
}

/**
 * The features that may be read. In a trigger, `score` and `tier` too: for those, `tiers` are the model's
 * tiers.
 */
export function readableOf(features: readonly FeatureDefinition[], tiers: readonly string[] = []): Readable {
  const reads = tiers.length > 0
  return {
    numbers: [...namesOfType(features, 'number'), ...(reads ? ['score'] : [])],
    texts: [...namesOfType(features, 'string'), ...(reads ? ['tier'] : [])],
    truths: namesOfType(features, 'boolean'),
    words: [...PLANS, ...tiers],
  }
}

export function namesOfType(
  features: readonly FeatureDefinition[],
  type: 'number' | 'string' | 'boolean',
): readonly string[] {
  return features.filter(feature => typeOfFeature(feature, features) === type).map(({ name }) => name)
}

type ValueType = 'number' | 'string' | 'boolean'

function typeOfFeature(feature: FeatureDefinition, features: readonly FeatureDefinition[]): ValueType {
  if (feature.type === 'latest') return feature.valueType
  return feature.type === 'formula' ? typeOf(feature.formula.expression, features) : 'number'
}

function typeOf(expression: Expression, features: readonly FeatureDefinition[]): ValueType {
  switch (expression.type) {
    case 'literal':
      return typeof expression.value as ValueType
    case 'feature':
      return typeOfFeature(features.find(({ name }) => name === expression.name)!, features)
    case 'negate':
    case 'arithmetic':
      return 'number'
    case 'conditional':
      return typeOf(expression.then, features)
    default:
      return 'boolean'
  }
}

export function arbitraryCondition(readable: Readable): fc.Arbitrary<Condition> {
  const { simple, truth } = arbitraryExpressions(readable)
  // Deep conditions mostly keep their result; simple ones change it.
  return fc.oneof(simple, truth).map(expression => ({ text: 'drawn', expression }))
}

/** A number: a feature, or a little more. */
export function arbitraryAmount(readable: Readable): fc.Arbitrary<Formula> {
  const { number } = arbitraryExpressions(readable)
  return number.map(expression => ({ text: 'drawn', expression }))
}

/** Mostly a number. */
export function arbitraryFormula(readable: Readable): fc.Arbitrary<Formula> {
  const { simple, number, truth, text } = arbitraryExpressions(readable)
  return fc
    .oneof({ weight: 6, arbitrary: number }, simple, truth, text)
    .map(expression => ({ text: 'drawn', expression }))
}

function arbitraryExpressions({ numbers, texts, truths, words }: Readable) {
  const names = [...numbers, ...texts, ...truths].filter(name => name !== 'score' && name !== 'tier')
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
  const { truth, number } = fc.letrec<{ truth: Expression; number: Expression }>(tie => ({
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
              list: fc.subarray([...words], { minLength: 1 }),
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
        name: fc.constantFrom(...names),
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
  const word = literal(fc.constantFrom(...words))
  const text = texts.length === 0 ? word : fc.oneof(feature(texts), conditional(simple, word))
  return { simple, truth, number, text }
}
