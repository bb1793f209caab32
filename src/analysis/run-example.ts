import { roundTo6 } from '../lib/round.ts'
import { advance, createAccount, receiveSignal } from '../scoring/account.ts'
import { moveClock } from '../scoring/activity/activity.ts'
import { contributionsOf, readSlots } from '../scoring/decisions/contributions.ts'
import { isGateOpen } from '../scoring/decisions/notice.ts'
import { featuresRead } from '../scoring/definition/compile-expression.ts'
import type { CompiledModel, CompiledNotice } from '../scoring/definition/compiled-model.ts'
import type { Contribution } from '../scoring/outputs.ts'
import type { Standing } from '../scoring/standing.ts'
import type { Signal } from '../signals/signal.ts'

/** Signals of one account, and the moment at which it is looked at. */
export interface Example {
  /** ms; no signal is later. */
  readonly at: number
  readonly accountId: string
  /** At least one; ascending by `occurredAt`, at which each is observed. */
  readonly signals: readonly Signal[]
}

export type PlainValue = number | string | boolean | null

/** What is left out may be anything. */
export interface ExampleExpectation {
  readonly score?: number
  readonly tier?: string
  /** 0 to 1 */
  readonly coverage?: number
  /** Points, by group. */
  readonly groups?: Readonly<Record<string, number>>
  /** Null: unknown. */
  readonly features?: Readonly<Record<string, PlainValue>>
  /** Triggers whose PQL is open: these and no others. */
  readonly pqls?: readonly string[]
  /** Triggers whose PQL is held: these and no others. */
  readonly held?: readonly string[]
  /** Alerts that were sent at any time up to then: these and no others. */
  readonly alerts?: readonly string[]
}

/** How the account stands at the end of an example. */
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
  /** What decides whether there is a PQL or alert: the condition of each of them. */
  readonly conditions: Readonly<Record<'triggers' | 'alerts', Readonly<Record<string, NoticeCondition>>>>
}

export interface NoticeCondition extends ConditionValues {
  /** The gates that hold it back. */
  readonly closedGates: readonly (ConditionValues & { readonly name: string })[]
}

export interface ConditionValues {
  /** As the model's file has it. */
  readonly when: string
  readonly values: Readonly<Record<string, PlainValue>>
}

/**
 * Runs an example through the same code as the service: a new account receives the signals under this model alone, then time passes up to `at`.
 * @throws Error if a signal is not applied: those of an example that was checked all are.
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
