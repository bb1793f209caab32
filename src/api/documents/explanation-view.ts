import { roundTo6 } from '../../lib/round.ts'
import { contributionsOf } from '../../scoring/decisions/contributions.ts'
import { isGateOpen } from '../../scoring/decisions/notice.ts'
import { groupPoints, totalScore } from '../../scoring/decisions/score.ts'
import type { CompiledNotice } from '../../scoring/definition/compiled-model.ts'
import type { Standing } from '../../scoring/standing.ts'
import { isoTime } from '../../signals/iso-time.ts'
import type { AccountWithScores } from '../read/read-account.ts'
import { formatSequence } from '../read/sequence.ts'
import { tierOf } from './account-view.ts'
import type {
  AlertDocument,
  ExplanationDocument,
  GateDocument,
  GroupContributionDocument,
  Suggestion,
  TriggerDocument,
} from './explanation-schemas.ts'
import { InputView } from './input-view.ts'
import { decidesTier, overrideDocument } from './override-view.ts'

const MAX_SUGGESTIONS = 5

/** Explains a standing from what was stored with it; nothing is computed again but the suggestions. */
export function explanation(account: AccountWithScores, standing: Standing): ExplanationDocument {
  const { clock, lastOffset, overrides } = account.scores
  const { definition, contentHash } = standing.model
  const gates = gateDocuments(standing)
  const tier = tierOf(standing)
  const inputs = new InputView(standing, account.readActivity)
  return {
    accountId: account.accountId,
    asOf: isoTime(clock),
    sequence: formatSequence({ partition: account.partition, offset: lastOffset }),
    modelId: definition.id,
    modelVersion: definition.version,
    modelName: definition.name,
    contentHash,
    inScope: standing.inScope,
    override: overrideDocument(standing, overrides),
    score: standing.score,
    rulesScore: standing.rulesScore,
    tier: tier.name,
    tierTitle: tier.title,
    ...(tier.queue === undefined ? {} : { queue: tier.queue }),
    tierSince: isoTime(standing.tierSince),
    changedAt: isoTime(standing.changedAt),
    cause: standing.cause,
    coverage: standing.coverage,
    unknownInputs: unknownInputs(standing),
    groups: groupDocuments(standing, inputs),
    gates,
    triggers: triggerDocuments(standing, gates, inputs, clock),
    alerts: alertDocuments(standing, gates, inputs, clock),
    nextTier: nextTier(standing, clock),
  }
}

function unknownInputs({ model, values }: Standing): string[] {
  const names = new Set<string>()
  for (const { inputs } of model.rules)
    for (const { name, slot } of inputs) if (values[slot] === undefined) names.add(name)
  return [...names].sort()
}

function groupDocuments(standing: Standing, view: InputView): GroupContributionDocument[] {
  const { model, groupPoints } = standing
  const contributions = contributionsOf(standing)
  return model.groups.map((group, i) => {
    const { name, title, weight, max } = group.definition
    return {
      group: name,
      title,
      weight,
      points: roundTo6(groupPoints[i]!),
      max,
      contribution: roundTo6(model.definition.score.scale * weight * groupPoints[i]!),
      rules: group.rules.map(rule => {
        const { definition, inputs } = model.rules[rule]!
        const { points, known, contribution } = contributions[rule]!
        return {
          rule: definition.name,
          title: definition.title,
          points: points === null ? null : roundTo6(points),
          max: definition.max,
          known,
          contribution,
          inputs: view.documents(inputs),
        }
      }),
    }
  })
}

function gateDocuments({ model, values }: Standing): GateDocument[] {
  return model.gates.map(gate => {
    const { definition } = gate
    return {
      gate: definition.name,
      title: definition.title,
      open: isGateOpen(gate, values),
      known: gate.open(values) !== undefined,
      condition: definition.open.text,
    }
  })
}

function triggerDocuments(
  standing: Standing,
  gates: readonly GateDocument[],
  inputs: InputView,
  clock: number,
): TriggerDocument[] {
  const isHeld = standing.override?.hold === true
  return standing.model.triggers.map((trigger, i) => {
    const { definition } = trigger
    const state = standing.triggers[i]!
    const isCooling = state.status === 'idle' && state.until > clock
    return {
      trigger: definition.name,
      motion: definition.motion,
      status: state.status,
      met: metOf(standing, trigger),
      gatesOpen: !isHeld && areOpen(trigger, gates),
      gates: [...definition.gates],
      cooldownUntil: isCooling ? isoTime(state.until) : null,
      condition: definition.when.text,
      evidence: inputs.documents(trigger.evidence),
    }
  })
}

function alertDocuments(
  standing: Standing,
  gates: readonly GateDocument[],
  inputs: InputView,
  clock: number,
): AlertDocument[] {
  return standing.model.alerts.map((alert, i) => {
    const { definition } = alert
    const until = standing.alerts[i]!
    return {
      alert: definition.name,
      title: definition.title,
      priority: definition.priority,
      met: metOf(standing, alert),
      gatesOpen: areOpen(alert, gates),
      gates: [...definition.gates],
      notBefore: until > clock ? isoTime(until) : null,
      condition: definition.when.text,
      evidence: inputs.documents(alert.evidence),
    }
  })
}

/** Null: unknown. Out of scope, no condition is met. */
function metOf({ inScope, values }: Standing, { met }: CompiledNotice): boolean | null {
  return inScope ? ((met(values) as boolean | undefined) ?? null) : false
}

function areOpen(notice: CompiledNotice, gates: readonly GateDocument[]): boolean {
  return notice.gates.every(gate => gates[gate]!.open)
}

/** Null in the highest tier, and where points do not decide the tier: missing points would mislead. */
function nextTier(standing: Standing, clock: number): ExplanationDocument['nextTier'] {
  const tier = standing.model.definition.tiers[standing.tier + 1]
  if (tier === undefined || !standing.inScope || decidesTier(standing)) return null
  const notBefore = standing.tierSince + standing.model.definition.tierPolicy.dwellMs
  return {
    name: tier.name,
    title: tier.title,
    from: tier.from,
    missing: Math.max(0, roundTo6(tier.from - standing.score)),
    notBefore: notBefore > clock ? isoTime(notBefore) : null,
    suggestions: suggestionsFor(standing),
  }
}

/**
 * The rules that could lift the score most, best first. A rule's gain is what the score would gain if that
 * rule alone gave its maximum, with the model's own caps and rounding. Rules without a gain (their group is
 * full) are left out.
 */
function suggestionsFor(standing: Standing): Suggestion[] {
  const { model, points, known } = standing
  const suggestions = model.rules.flatMap(({ definition, group }, rule) => {
    const given = points[rule]!
    if (given !== null && given >= definition.max) return []
    const gain = roundTo6(scoreWithMaximum(standing, rule) - standing.score)
    if (gain <= 0) return []
    const { name, title, max } = definition
    return [{ group: group.name, rule: name, title, points: given, max, known: known[rule]!, gain }]
  })
  return suggestions.sort((a, b) => b.gain - a.gain).slice(0, MAX_SUGGESTIONS)
}

function scoreWithMaximum({ model, points, groupPoints: groups }: Standing, rule: number): number {
  const { definition, group } = model.rules[rule]!
  const changedPoints = points.with(rule, definition.max)
  const changedGroups = model.groups.map((each, i) =>
    each.definition === group ? groupPoints(model, i, changedPoints) : groups[i]!,
  )
  return totalScore(model, changedGroups)
}
