import { readSlots } from '../scoring/contributions.ts'
import { roundTo6 } from '../scoring/round.ts'
import type { Standing } from '../scoring/standing.ts'
import { fillReason } from '../scoring/triggers.ts'
import type { StoredAccount } from './read-account.ts'
import type {
  AccountDocument,
  AccountSummaryDocument,
  NextPlayDocument,
  PqlDocument,
  StandingDocument,
} from './schemas.ts'
import { formatSequence } from './sequence.ts'

export function accountDocument({ accountId, partition, scores }: StoredAccount): AccountDocument {
  const { clock, lastOffset, standings } = scores
  return {
    accountId,
    asOf: isoTime(clock),
    sequence: formatSequence({ partition, offset: lastOffset }),
    status: standings.length === 0 ? 'NO_SCORE' : 'SCORED',
    standings: standings.map(standingDocument),
    nextPlay: nextPlay(standings),
  }
}

export function accountSummary(accountId: string, standing: Standing): AccountSummaryDocument {
  const { definition } = standing.model
  return {
    accountId,
    modelId: definition.id,
    modelVersion: definition.version,
    score: standing.score,
    tier: tierOf(standing).name,
    tierSince: isoTime(standing.tierSince),
    coverage: standing.coverage,
    openPqls: standing.triggers.filter(({ status }) => status === 'open').length,
    changedAt: isoTime(standing.changedAt),
  }
}

function standingDocument(standing: Standing): StandingDocument {
  const { definition } = standing.model
  const { name, title, action } = tierOf(standing)
  return {
    modelId: definition.id,
    modelVersion: definition.version,
    modelName: definition.name,
    score: standing.score,
    tier: name,
    tierTitle: title,
    action,
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

function pqlDocuments({ model, triggers, values }: Standing): PqlDocument[] {
  return model.triggers.flatMap(({ definition, evidence, reasonSlots }, i) => {
    const state = triggers[i]!
    if (state.status === 'idle') return []
    return [
      {
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
      },
    ]
  })
}

/** The play of the open PQL that qualified last; without one the action of the tier that was entered last. */
function nextPlay(standings: readonly Standing[]): NextPlayDocument | null {
  return playOfPql(standings) ?? actionOfTier(standings)
}

function playOfPql(standings: readonly Standing[]): NextPlayDocument | null {
  let latest: NextPlayDocument | null = null
  let qualifiedAt = Number.NEGATIVE_INFINITY
  for (const standing of standings) {
    for (const [i, { definition }] of standing.model.triggers.entries()) {
      const state = standing.triggers[i]!
      if (state.status !== 'open' || definition.play.length === 0 || state.qualifiedAt <= qualifiedAt)
        continue
      qualifiedAt = state.qualifiedAt
      latest = {
        source: 'pql',
        modelId: standing.model.definition.id,
        tier: tierOf(standing).name,
        pqlId: state.pqlId,
        trigger: definition.name,
        steps: [...definition.play],
      }
    }
  }
  return latest
}

function actionOfTier(standings: readonly Standing[]): NextPlayDocument | null {
  let latest: Standing | undefined
  for (const standing of standings) {
    if (tierOf(standing).action === '') continue
    if (latest === undefined || standing.tierSince > latest.tierSince) latest = standing
  }
  if (latest === undefined) return null
  const { name, action } = tierOf(latest)
  return { source: 'tier', modelId: latest.model.definition.id, tier: name, steps: [action] }
}

export function tierOf({ model, tier }: Standing) {
  return model.definition.tiers[tier]!
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
