import type { Account } from './account.ts'
import { tierChange } from './decisions/tier.ts'
import { pqlEvent } from './decisions/triggers.ts'
import type { Cause, PqlStatus, ScoringEvent } from './outputs.ts'
import type { Standing, TriggerState } from './standing.ts'

type OpenPql = Exclude<TriggerState, { status: 'idle' }>

/** There is no signal behind it: the models, or the log that they see, became others. */
const CAUSE: Cause = { type: 'model' }

/**
 * What is to be told of an account when another line of scoring begins to serve: what was known of it are `before`, its standings in the line that served; from now on
 * it is how it stands in this one. Where both agree, nothing. A PQL that only the old line has open is disqualified, one that only the new line has
 * open is announced; they are the same if their ids are.
 */
export function eventsToAnnounce(
  before: readonly Standing[],
  { id, activity, standings }: Account,
): ScoringEvent[] {
  const events: ScoringEvent[] = []
  const at = activity.clock
  for (const old of before) {
    const now = standings.find(({ model }) => model.definition.id === old.model.definition.id)
    const kept = new Set(now === undefined ? [] : openPqls(now))
    for (const [i, state] of old.triggers.entries())
      if (state.status !== 'idle' && !kept.has(state.pqlId))
        events.push(pqlEvent(old, old.model.triggers[i]!, id, at, state.pqlId, 'disqualified', CAUSE))
  }
  for (const standing of standings) {
    const { definition, triggers } = standing.model
    const old = before.find(({ model }) => model.definition.id === definition.id)
    const tierBefore = old === undefined ? definition.tiers[0]!.name : tierOf(old)
    if (tierBefore !== tierOf(standing))
      events.push(tierChange(standing, tierBefore, id, at, old?.score ?? 0, CAUSE))
    for (const [i, state] of standing.triggers.entries()) {
      if (state.status === 'idle') continue
      const status = statusToTell(state, old)
      if (status !== undefined)
        events.push(pqlEvent(standing, triggers[i]!, id, at, state.pqlId, status, CAUSE))
    }
  }
  return events
}

/** Of a PQL that is open or held now. */
function statusToTell(state: OpenPql, old: Standing | undefined): PqlStatus | undefined {
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
