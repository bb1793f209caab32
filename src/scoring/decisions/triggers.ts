import { roundScore, roundTo6 } from '../../lib/round.ts'
import type { CompiledTrigger } from '../definition/compiled-model.ts'
import type { Value } from '../definition/expression.ts'
import type { Cause, PqlEvent, PqlStatus, ScoringEvent } from '../events.ts'
import { causeOf, type Occasion } from '../occasion.ts'
import type { Standing, TriggerState } from '../standing.ts'
import { readSlots } from './contributions.ts'
import { pqlEventId, standingEventId } from './event-id.ts'
import { fillReason, isMet } from './notice.ts'

/**
 * Takes each trigger one step further: `idle` → `open` or `held` → `idle`. A held PQL waits for a gate.
 * Rules: docs/how-a-score-is-defined.md, "Gates, triggers, PQLs".
 */
export function stepTriggers(
  standing: Standing,
  /** In the order of the model's gates. */
  gatesOpen: readonly boolean[],
  clock: number,
  accountId: string,
  occasion: Occasion,
  events: ScoringEvent[],
): void {
  const { triggers } = standing.model
  const isHeld = standing.override?.hold === true
  for (let i = 0; i < triggers.length; i++) {
    const trigger = triggers[i]!
    const state = standing.triggers[i]!
    const met = isMet(standing, trigger)
    // Most triggers are idle and not met.
    if (state.status === 'idle' && (!met || clock < state.until)) continue
    const areGatesOpen = !isHeld && trigger.gates.every(gate => gatesOpen[gate] === true)
    const step = stepTrigger(state, trigger, met, areGatesOpen, clock, () =>
      standingEventId('pql', standing, accountId, [trigger.definition.name], clock, causeOf(occasion)),
    )
    if (step === undefined) continue
    standing.triggers[i] = step.state
    const cause = causeOf(occasion)
    const isByGate = step.status === 'released' || (step.status === 'held' && state.status === 'open')
    events.push(
      pqlEvent(
        standing,
        trigger,
        accountId,
        clock,
        step.pqlId,
        step.status,
        isByGate ? { ...cause, type: 'gate' } : cause,
      ),
    )
  }
}

// state        when                                            then    event
// idle         met, cooldown over, and the gates are open      open    qualified, of a new PQL
// idle         met, cooldown over, and a gate is closed        held    held, of a new PQL
// open, held   not met                                         idle    disqualified; the cooldown begins
// open, held   expired                                         idle    expired; the cooldown begins
// open         a gate is closed                                held    held
// held         the gates are open                              open    released
//
// The first line that fits counts.

interface Step {
  readonly state: TriggerState
  readonly status: PqlStatus
  readonly pqlId: string
}

function stepTrigger(
  state: TriggerState,
  { definition }: CompiledTrigger,
  met: boolean,
  areGatesOpen: boolean,
  clock: number,
  newId: () => string,
): Step | undefined {
  if (state.status === 'idle') {
    if (!met || clock < state.until) return undefined
    const pqlId = newId()
    return {
      state: {
        status: areGatesOpen ? 'open' : 'held',
        pqlId,
        qualifiedAt: clock,
        expiresAt: clock + definition.expiryMs,
      },
      status: areGatesOpen ? 'qualified' : 'held',
      pqlId,
    }
  }
  const { pqlId } = state
  const closed: TriggerState = { status: 'idle', until: clock + definition.cooldownMs }
  if (!met) return { state: closed, status: 'disqualified', pqlId }
  if (clock >= state.expiresAt) return { state: closed, status: 'expired', pqlId }
  if (state.status === 'open' && !areGatesOpen)
    return { state: { ...state, status: 'held' }, status: 'held', pqlId }
  if (state.status === 'held' && areGatesOpen)
    return { state: { ...state, status: 'open' }, status: 'released', pqlId }
  return undefined
}

/** The event for one step of a PQL. Its evidence is the standing's present values. */
export function pqlEvent(
  standing: Standing,
  trigger: CompiledTrigger,
  accountId: string,
  at: number,
  pqlId: string,
  status: PqlStatus,
  cause: Cause,
): PqlEvent {
  const { definition } = standing.model
  const evidence = readSlots(trigger.evidence, standing.values)
  return {
    type: 'pql',
    id: pqlEventId(standing, pqlId, status, at, cause),
    pqlId,
    accountId,
    modelId: definition.id,
    modelVersion: definition.version,
    trigger: trigger.definition.name,
    motion: trigger.definition.motion,
    status,
    score: standing.score,
    tier: definition.tiers[standing.tier]!.name,
    reasons: [fillReason(trigger.definition.reason, readSlots(trigger.reasonSlots, standing.values))],
    evidence,
    play: trigger.definition.play,
    decisionTimeline: trigger.definition.decisionTimeline,
    ...prospects(standing.values, trigger),
    at,
    cause,
  }
}

export type Prospects = Pick<PqlEvent, 'offer' | 'confidence' | 'estimatedValue'>

/**
 * The offer, confidence and estimated value of a PQL, as far as the model defines them and the values are
 * known.
 */
export function prospects(
  values: readonly Value[],
  { definition, confidence, estimatedValue }: CompiledTrigger,
): Prospects {
  const sure = finiteNumber(confidence?.(values))
  const worth = finiteNumber(estimatedValue?.(values))
  return {
    ...(definition.offer === undefined ? {} : { offer: definition.offer }),
    ...(sure === undefined ? {} : { confidence: Math.min(1, Math.max(0, roundTo6(sure))) }),
    ...(worth === undefined ? {} : { estimatedValue: Math.max(0, roundScore(worth, 2)) }),
  }
}

function finiteNumber(value: Value): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
