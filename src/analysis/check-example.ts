import type { ExampleExpectation, ExampleOutcome, PlainValue } from './run-example.ts'

/** Something that is not as an example expects it. */
export interface Mismatch {
  /** `score`, `groups.usage`, `pqls` … */
  readonly what: string
  readonly expected: unknown
  readonly found: unknown
}

/** Numbers that differ by less are equal: it is where doubles and decimals on paper still agree. */
const TOLERANCE = 1e-6

type Check = (expectation: ExampleExpectation, outcome: ExampleOutcome) => Mismatch[]

/** Every part of an expectation has its check: the type asks for it. */
const CHECKS: { readonly [Key in keyof Required<ExampleExpectation>]: Check } = {
  score: ({ score }, outcome) => checkValue('score', score!, outcome.score),
  tier: ({ tier }, outcome) => checkValue('tier', tier!, outcome.tier),
  coverage: ({ coverage }, outcome) => checkValue('coverage', coverage!, outcome.coverage),
  groups: ({ groups }, outcome) => checkEach('groups', groups!, outcome.groups),
  features: ({ features }, outcome) => checkEach('features', features!, outcome.features),
  pqls: ({ pqls }, outcome) => checkNames('pqls', pqls!, outcome.pqls),
  held: ({ held }, outcome) => checkNames('held', held!, outcome.held),
  alerts: ({ alerts }, outcome) => checkNames('alerts', alerts!, outcome.alerts),
}

/**
 * What is not as expected; nothing if all is. An expectation that there is no check for is a mismatch: it must not look as if it
 * were met.
 */
export function checkExample(expectation: ExampleExpectation, outcome: ExampleOutcome): Mismatch[] {
  return Object.entries(expectation).flatMap(([key, expected]) => {
    if (expected === undefined) return []
    if (!Object.hasOwn(CHECKS, key))
      return [{ what: key, expected, found: 'nothing: this version of Upswell cannot compare it' }]
    return CHECKS[key as keyof typeof CHECKS](expectation, outcome)
  })
}

function checkValue(what: string, expected: PlainValue, found: PlainValue | undefined): Mismatch[] {
  const equal =
    typeof expected === 'number' && typeof found === 'number'
      ? Math.abs(expected - found) <= TOLERANCE
      : expected === found
  return equal ? [] : [{ what, expected, found: found ?? null }]
}

function checkEach(
  what: string,
  expected: Readonly<Record<string, PlainValue>>,
  found: Readonly<Record<string, PlainValue>>,
): Mismatch[] {
  return Object.entries(expected).flatMap(([name, value]) =>
    checkValue(`${what}.${name}`, value, Object.hasOwn(found, name) ? found[name] : undefined),
  )
}

function checkNames(what: string, expected: readonly string[], found: readonly string[]): Mismatch[] {
  const wanted = new Set(expected)
  const equal = wanted.size === found.length && found.every(name => wanted.has(name))
  return equal ? [] : [{ what, expected: [...wanted], found }]
}
