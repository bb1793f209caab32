import { roundTo6 } from '../lib/round.ts'
import { advance, createAccount, receiveSignal } from '../scoring/account.ts'
import { moveClock } from '../scoring/activity/activity.ts'
import { contributionsOf, readSlots } from '../scoring/decisions/contributions.ts'
import { isGateOpen } from '../scoring/decisions/notice.ts'
import { featuresRead } from '../scoring/definition/compile-expression.ts'
import type { CompiledModel, CompiledNotice } from '../scoring/definition/compiled-model.ts'
import type { Contribution } from '../scoring/events.ts'
import type { Standing } from '../scoring/standing.ts'
import type { Signal } from '../signals/signal.ts'

/** Signals of one account, and the moment of the expected result. */
export interface Example {
  /** ms; no signal is later. */
  readonly at: number
  readonly accountId: string
  /** At least one, in ascending `occurredAt`. Each is observed when it occurs. */
  readonly signals: readonly Signal[]
}

export type PlainValue = number | string | boolean | null

/** The expected result. Keys that are left out may have any value. */
export interface ExampleExpectation {
  readonly score?: number
  readonly tier?: string
  /** 0 to 1 */
  readonly coverage?: number
  /** The points of each group. */
  readonly groups?: Readonly<Record<string, number>>
  /** Null: unknown. */
  readonly features?: Readonly<Record<string, PlainValue>>
  /** Triggers whose PQL is open: these and no others. */
  readonly pqls?: readonly string[]
  /** Triggers whose PQL is held: these and no others. */
  readonly held?: readonly string[]
  /** Alerts that were sent at any time up to that moment: these and no others. */
  readonly alerts?: readonly string[]
}

/** The result of an example: the account at the end. */
export interface ExampleOutcome {
  readonly score: number
  readonly tier: string
  readonly inScope: boolean
  readonly coverage: number
  readonly groups: Readonly<Record<string, number>>
  readonly features: Readonly<Record<string, PlainValue>>
  readonly pqls: readonly string[]
  readonly held: readonly string[]
  readonly alerts: readonly string[]
  readonly contributions: readonly Contribution[]
  /** The condition of each trigger and alert, which decides whether there is a PQL or alert. */
  readonly conditions: Readonly<Record<'triggers' | 'alerts', Readonly<Record<string, NoticeCondition>>>>
}

export interface NoticeCondition extends ConditionValues {
  /** The gates that hold the PQL or alert back. */
  readonly closedGates: readonly (ConditionValues & { readonly name: string })[]
}

export interface ConditionValues {
  /** The condition's text in the model file. */
  readonly when: string
  readonly values: Readonly<Record<string, PlainValue>>
}

/**
 * Runs an example with the scoring code of the service: a new account receives the signals under this model
 * alone, then time passes up to `at`.
 *
 * @throws Error if a signal is not applied. In a checked example all are.
 */
export function runExample(model: CompiledModel, { at, accountId, signals }: Example): ExampleOutcome {
  const first = signals[0]!
  const account = createAccount(
    accountId,
    first.occurredAt,
    { offset: 0, at: first.occurredAt, models: [model] },
    { type: 'signal', signalId: first.id },
  )
  const alerts = new Set<string>()
  const collect = (events: ReturnType<typeof advance>): void => {
    for (const event of events) if (event.type === 'alert') alerts.add(event.alert)
  }
  for (const [i, signal] of signals.entries()) {
    collect(advance(account, signal.occurredAt))
    const { outcome, events } = receiveSignal(account, signal, signal.occurredAt, i === 0)
    if (outcome !== 'applied') throw new Error(`the signal ${signal.id} of an example was ${outcome}`)
    collect(events)
  }
  collect(advance(account, at))
  moveClock(account.activity, at)
  return outcomeOf(account.standings[0]!, [...alerts])
}

function outcomeOf(standing: Standing, alerts: readonly string[]): ExampleOutcome {
  const { model, values } = standing
  const triggersAt = (status: 'open' | 'held'): string[] =>
    model.triggers
      .filter((_, i) => standing.triggers[i]!.status === status)
      .map(({ definition }) => definition.name)
  const conditionsOf = (notices: readonly Notice[]): Record<string, NoticeCondition> =>
    Object.fromEntries(
      notices.map(({ definition: { name, when }, evidence, gates }) => [
        name,
        { when: when.text, values: readSlots(evidence, values), closedGates: closedGates(standing, gates) },
      ]),
    )
  return {
    score: standing.score,
    tier: model.definition.tiers[standing.tier]!.name,
    inScope: standing.inScope,
    coverage: standing.coverage,
    groups: Object.fromEntries(
      model.groups.map(({ definition }, i) => [definition.name, roundTo6(standing.groupPoints[i]!)]),
    ),
    features: readSlots(
      model.features.map(({ name }, slot) => ({ name, slot })),
      values,
    ),
    pqls: triggersAt('open'),
    held: triggersAt('held'),
    alerts,
    contributions: contributionsOf(standing),
    conditions: { triggers: conditionsOf(model.triggers), alerts: conditionsOf(model.alerts) },
  }
}

type Notice = CompiledNotice & {
  readonly definition: { readonly name: string; readonly when: { readonly text: string } }
}

function closedGates({ model, values }: Standing, gates: readonly number[]): NoticeCondition['closedGates'] {
  const slotOf = (name: string): number => model.features.findIndex(feature => feature.name === name)
  return gates.flatMap(index => {
    const gate = model.gates[index]!
    if (isGateOpen(gate, values)) return []
    const { definition } = gate
    const reads = featuresRead(definition.open.expression).map(name => ({ name, slot: slotOf(name) }))
    return [{ name: definition.name, when: definition.open.text, values: readSlots(reads, values) }]
  })
}

/** A value that differs from the expectation of an example. */
export interface Mismatch {
  /** Such as `score`, `groups.usage` or `pqls`. */
  readonly what: string
  readonly expected: unknown
  readonly found: unknown
}

/** Numbers that differ by at most this are equal: doubles and decimals on paper agree to this precision. */
const TOLERANCE = 1e-6

type Check = (expectation: ExampleExpectation, outcome: ExampleOutcome) => Mismatch[]

/** The type requires a check for every part of an expectation. */
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
 * Compares the outcome with the expectation and returns the mismatches. An expectation without a check is a
 * mismatch too, so that it never looks as if it were met.
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
