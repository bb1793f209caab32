import type { Account } from './account.ts'
import type { AccountScores } from './codec/codec.ts'
import { announcementId } from './decisions/event-id.ts'
import { leaveModel } from './decisions/leave-model.ts'
import { tierChange } from './decisions/tier.ts'
import { pqlEvent } from './decisions/triggers.ts'
import type { Cause, PqlStatus, ScoringEvent } from './events.ts'
import type { Standing, TriggerState } from './standing.ts'

type OpenPql = Exclude<TriggerState, { status: 'idle' }>

/** No signal caused it: the models changed, or the log that they read. */
const CAUSE: Cause = { type: 'model' }

// Subscribers know the account's standings of the lineage that served before. Now this lineage serves:
//
//   differs                                      event
//   tier                                         tier-change
//   model only before                            tier-change to its lowest tier
//   model only now                               tier-change from the tier in which it was removed before, or
//                                                from its lowest tier
//   PQL open or held only before                 disqualified
//   PQL open or held only now                    qualified or held
//   the same PQL (by id), open then held now     held
//   the same PQL, held then open now             released
/**
 * The events that announce an account when another lineage begins to serve; none if nothing differs.
 * @param before the account in the lineage that served before; undefined: it was not there
 * @param namespace of the lineage that begins to serve
 */
export function eventsToAnnounce(
  before: Known | undefined,
  account: Account,
  namespace: string,
): ScoringEvent[] {
  return differences(before, account).map(event => ({ ...event, id: announcementId(event.id, namespace) }))
}

type Known = Pick<AccountScores, 'standings' | 'formerTiers'>

function differences(before: Known | undefined, { id, activity, standings }: Account): ScoringEvent[] {
  const events: ScoringEvent[] = []
  const at = activity.clock
  for (const old of before?.standings ?? []) {
    const now = standings.find(({ model }) => model.definition.id === old.model.definition.id)
    if (now === undefined) {
      events.push(...leaveModel(old, id, at, CAUSE))
      continue
    }
    const kept = new Set(openPqls(now))
    for (const [i, state] of old.triggers.entries())
      if (state.status !== 'idle' && !kept.has(state.pqlId))
        events.push(pqlEvent(old, old.model.triggers[i]!, id, at, state.pqlId, 'disqualified', CAUSE))
  }
  for (const standing of standings) {
    const { definition, triggers } = standing.model
    const old = before?.standings.find(({ model }) => model.definition.id === definition.id)
    const tierBefore =
      old === undefined ? (before?.formerTiers.get(definition.id) ?? definition.tiers[0]!.name) : tierOf(old)
    if (tierBefore !== tierOf(standing))
      events.push(tierChange(standing, tierBefore, id, at, old?.score ?? 0, CAUSE))
    for (const [i, state] of standing.triggers.entries()) {
      if (state.status === 'idle') continue
      const status = statusToAnnounce(state, old)
      if (status !== undefined)
        events.push(pqlEvent(standing, triggers[i]!, id, at, state.pqlId, status, CAUSE))
    }
  }
  return events
}

/** For a PQL that is open or held now. Undefined: subscribers know it as it is. */
function statusToAnnounce(state: OpenPql, old: Standing | undefined): PqlStatus | undefined {
  const known = old?.triggers.find(each => each.status !== 'idle' && each.pqlId === state.pqlId)
  if (known === undefined) return state.status === 'held' ? 'held' : 'qualified'
  if (known.status === state.status) return undefined
  return state.status === 'held' ? 'held' : 'released'
}

function openPqls({ triggers }: Standing): string[] {
  return triggers.flatMap(state => (state.status === 'idle' ? [] : [state.pqlId]))
}

function tierOf({ model, tier }: Standing): string {
  return model.definition.tiers[tier]!.name
}
