import { roundTo6 } from '../../lib/round.ts'
import type { Standing } from '../../scoring/standing.ts'
import { isoTime } from '../../signals/iso-time.ts'
import type { AccountWithScores } from '../read/read-account.ts'
import { formatSequence } from '../read/sequence.ts'
import { limitDocuments, type UnreadView } from './limits-view.ts'
import { type Overrides, overrideDocument } from './override-view.ts'
import { bestPqls, byProspects, pqlDocuments } from './pql-view.ts'
import type {
  AccountDocument,
  AccountSummaryDocument,
  NextPlayDocument,
  StandingDocument,
} from './schemas.ts'

export function accountDocument(
  { accountId, partition, scores, readActivity }: AccountWithScores,
  unreadView: UnreadView,
): AccountDocument {
  const activity = readActivity()
  const limits = limitDocuments(activity)
  const unread = unreadView.document(activity, scores.standings)
  const { clock, lastOffset, overrides, standings } = scores
  return {
    accountId,
    asOf: isoTime(clock),
    sequence: formatSequence({ partition, offset: lastOffset }),
    status: standings.length === 0 ? 'NO_SCORE' : 'SCORED',
    standings: standings.map(standing => standingDocument(standing, overrides)),
    nextPlay: nextPlay(standings),
    ...(limits === undefined ? {} : { limits }),
    ...(unread === undefined ? {} : { unread }),
  }
}

export function accountSummary(accountId: string, standing: Standing): AccountSummaryDocument {
  const { definition } = standing.model
  return {
    accountId,
    modelId: definition.id,
    modelVersion: definition.version,
    inScope: standing.inScope,
    score: standing.score,
    tier: tierOf(standing).name,
    tierSince: isoTime(standing.tierSince),
    coverage: standing.coverage,
    openPqls: standing.triggers.filter(({ status }) => status === 'open').length,
    facets: facetsOf(standing),
    changedAt: isoTime(standing.changedAt),
  }
}

function standingDocument(standing: Standing, overrides: Overrides): StandingDocument {
  const { definition } = standing.model
  const { name, title, action, queue } = tierOf(standing)
  return {
    modelId: definition.id,
    modelVersion: definition.version,
    modelName: definition.name,
    inScope: standing.inScope,
    override: overrideDocument(standing, overrides),
    score: standing.score,
    tier: name,
    tierTitle: title,
    action,
    ...(queue === undefined ? {} : { queue }),
    tierSince: isoTime(standing.tierSince),
    changedAt: isoTime(standing.changedAt),
    cause: standing.cause,
    coverage: standing.coverage,
    groups: Object.fromEntries(
      definition.groups.map((group, i) => [group.name, roundTo6(standing.groupPoints[i]!)]),
    ),
    pqls: pqlDocuments(standing),
  }
}

/** The play of the best open PQL, or else the action of the tier that was entered last. */
function nextPlay(standings: readonly Standing[]): NextPlayDocument | null {
  return playOfPql(standings) ?? actionOfTier(standings)
}

function playOfPql(standings: readonly Standing[]): NextPlayDocument | null {
  const open = standings.flatMap(standing =>
    bestPqls(standing)
      .filter(({ state, trigger }) => state.status === 'open' && trigger.definition.play.length > 0)
      .map(pql => ({ ...pql, standing })),
  )
  const best = open.sort(byProspects)[0]
  if (best === undefined) return null
  const { state, trigger, standing } = best
  return {
    source: 'pql',
    modelId: standing.model.definition.id,
    tier: tierOf(standing).name,
    pqlId: state.pqlId,
    trigger: trigger.definition.name,
    steps: [...trigger.definition.play],
  }
}

function actionOfTier(standings: readonly Standing[]): NextPlayDocument | null {
  let latest: Standing | undefined
  for (const standing of standings) {
    if (!standing.inScope || tierOf(standing).action === '') continue
    if (latest === undefined || standing.tierSince > latest.tierSince) latest = standing
  }
  if (latest === undefined) return null
  const { name, action } = tierOf(latest)
  return { source: 'tier', modelId: latest.model.definition.id, tier: name, steps: [action] }
}

export function tierOf({ model, tier }: Standing) {
  return model.definition.tiers[tier]!
}

function facetsOf({ model, facets }: Standing): Record<string, string | null> {
  return Object.fromEntries(model.definition.facets.map(({ name }, i) => [name, facets[i] ?? null]))
}
