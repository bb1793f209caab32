import { roundTo6 } from '../lib/round.ts'
import { contributionsOf } from '../scoring/decisions/contributions.ts'
import { nextTierMove, targetTier } from '../scoring/decisions/tier.ts'
import type { Motion } from '../scoring/definition/model-definition.ts'
import type { Contribution, PqlStatus } from '../scoring/events.ts'
import type { Standing } from '../scoring/standing.ts'
import type { Trial } from './try-model.ts'

export interface Change<T> {
  readonly before: T
  readonly after: T
}

/** What would change for one account under another version of a model. */
export interface AccountDiff {
  readonly accountId: string
  /** The account's clock, ms. */
  readonly at: number
  readonly tier: Change<string>
  /**
   * The tier that the new version's score leads to when the dwell is over. Null: no other tier, or the old
   * version leads to it as well.
   */
  readonly tierLater: TierLater | null
  readonly score: Change<number>
  readonly coverage: Change<number>
  readonly inScope: Change<boolean>
  /** An override decides the score or the tier, not the rules. */
  readonly isSetByHand: boolean
  /** PQL events that would be published, in their order. */
  readonly pqls: readonly PqlDiff[]
  /** Names of the alerts that would be sent. */
  readonly alerts: readonly string[]
  /** Rules that are new, gone, or contribute another amount to the score; the greatest change first. */
  readonly rules: readonly RuleDiff[]
}

export interface TierLater {
  readonly tier: string
  /** When the dwell ends, ms. */
  readonly at: number
}

export interface PqlDiff {
  readonly trigger: string
  readonly motion: Motion
  readonly status: PqlStatus
}

export interface RuleDiff {
  readonly group: string
  readonly rule: string
  readonly title: string
  readonly status: 'changed' | 'new' | 'gone'
  /** The contribution after minus the contribution before, in the score's units. */
  readonly change: number
  /** Null: the version has no such rule. */
  readonly before: Contribution | null
  readonly after: Contribution | null
}

/** Contributions are rounded to multiples of this. */
const MIN_CHANGE = 1e-6

export function diffAccount({ accountId, at, before, after, events }: Trial): AccountDiff {
  return {
    accountId,
    at,
    tier: { before: tierOf(before), after: tierOf(after) },
    tierLater: diffLater(before, after),
    score: { before: before.score, after: after.score },
    coverage: { before: before.coverage, after: after.coverage },
    inScope: { before: before.inScope, after: after.inScope },
    isSetByHand: after.inScope && (after.override?.score !== undefined || after.override?.tier !== undefined),
    pqls: events.flatMap(event =>
      event.type === 'pql' ? [{ trigger: event.trigger, motion: event.motion, status: event.status }] : [],
    ),
    alerts: events.flatMap(event => (event.type === 'alert' ? [event.alert] : [])),
    rules: before === after ? [] : diffRules(before, after),
  }
}

/** Whether a score, tier change, PQL or alert would be published, now or when the dwell is over. */
export function isChanged({ tier, tierLater, score, pqls, alerts, inScope }: AccountDiff): boolean {
  return (
    tier.before !== tier.after ||
    tierLater !== null ||
    score.before !== score.after ||
    inScope.before !== inScope.after ||
    pqls.length > 0 ||
    alerts.length > 0
  )
}

export function changesTier({ tier }: AccountDiff): boolean {
  return tier.before !== tier.after
}

function tierOf({ model, tier }: Standing): string {
  return model.definition.tiers[tier]!.name
}

function diffLater(before: Standing, after: Standing): TierLater | null {
  const later = laterTier(after)
  return later === null || later.tier === laterTier(before)?.tier ? null : later
}

function laterTier(standing: Standing): TierLater | null {
  const at = nextTierMove(standing)
  if (!Number.isFinite(at)) return null
  const { definition } = standing.model
  const target = targetTier(definition, standing.tier, standing.score)
  return { tier: definition.tiers[target]!.name, at }
}

function diffRules(before: Standing, after: Standing): RuleDiff[] {
  const was = byRule(before)
  const is = byRule(after)
  const titles = titlesOf(before)
  for (const [key, title] of titlesOf(after)) titles.set(key, title)
  const diffs: RuleDiff[] = []
  for (const key of new Set([...was.keys(), ...is.keys()])) {
    const [old, now] = [was.get(key), is.get(key)]
    const { group, rule } = (now ?? old)!
    const status = old === undefined ? 'new' : now === undefined ? 'gone' : 'changed'
    const change = (now?.contribution ?? 0) - (old?.contribution ?? 0)
    if (status === 'changed' && Math.abs(change) < MIN_CHANGE) continue
    diffs.push({
      group,
      rule,
      title: titles.get(key)!,
      status,
      change: roundTo6(change),
      before: old ?? null,
      after: now ?? null,
    })
  }
  return diffs.sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
}

function byRule(standing: Standing): Map<string, Contribution> {
  return new Map(contributionsOf(standing).map(each => [`${each.group}/${each.rule}`, each]))
}

function titlesOf({ model }: Standing): Map<string, string> {
  return new Map(
    model.rules.map(({ group, definition }) => [`${group.name}/${definition.name}`, definition.title]),
  )
}
