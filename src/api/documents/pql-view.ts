import { readSlots } from '../../scoring/decisions/contributions.ts'
import { fillReason } from '../../scoring/decisions/notice.ts'
import { prospects } from '../../scoring/decisions/triggers.ts'
import type { CompiledTrigger } from '../../scoring/definition/compiled-model.ts'
import type { Standing, TriggerState } from '../../scoring/standing.ts'
import { isoTime } from '../../signals/iso-time.ts'
import type { PqlDocument } from './schemas.ts'

/** A PQL that is open or held. */
export interface StandingPql {
  readonly trigger: CompiledTrigger
  readonly state: Exclude<TriggerState, { readonly status: 'idle' }>
  readonly prospects: ReturnType<typeof prospects>
}

/** The PQLs of a standing, best first; equal ones in the model's order. */
export function bestPqls(standing: Standing): StandingPql[] {
  return standing.model.triggers
    .flatMap((trigger, i) => {
      const state = standing.triggers[i]!
      return state.status === 'idle'
        ? []
        : [{ trigger, state, prospects: prospects(standing.values, trigger) }]
    })
    .sort(byProspects)
}

/** Compares by confidence, then by estimated value: both descending, unknown last. */
export function byProspects(a: StandingPql, b: StandingPql): number {
  return (
    descending(a.prospects.confidence, b.prospects.confidence) ||
    descending(a.prospects.estimatedValue, b.prospects.estimatedValue)
  )
}

/** Neither number is negative, so −1 puts an unknown one last. */
function descending(a = -1, b = -1): number {
  return b - a
}

export function pqlDocuments(standing: Standing): PqlDocument[] {
  const { values } = standing
  return bestPqls(standing).map(({ trigger: { definition, evidence, reasonSlots }, state, prospects }) => ({
    pqlId: state.pqlId,
    trigger: definition.name,
    motion: definition.motion,
    status: state.status,
    since: isoTime(state.qualifiedAt),
    expiresAt: isoTime(state.expiresAt),
    reasons: [fillReason(definition.reason, readSlots(reasonSlots, values))],
    evidence: readSlots(evidence, values),
    play: [...definition.play],
    decisionTimeline: definition.decisionTimeline,
    ...prospects,
  }))
}
