import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { CauseType, Contribution, TierChange } from '../scoring/events.ts'
import { plainText, textWidth } from './terminal-text.ts'

/** A reader takes in this many rules at a glance. */
const SHOWN_RULES = 3
const SEPARATOR = ' · '

// What the line says of a tier change:
//
//   cause      contributions before   text
//   override   –                      an override began or ended
//   others     known                  the rules that moved most: `NPS answer +5`
//   others     unknown, after a rise  the strongest rules: `Use of the plan 28 of 28`
//   others     unknown, after a fall  the rules that lack most: `low: Use of the plan 28 of 40`

/** Why a tier changed, in one line of about `columns`; rules that do not fit are left out. */
export function describeChange(
  event: TierChange,
  isUp: boolean,
  model: ModelDefinition | undefined,
  before: readonly Contribution[] | undefined,
  columns: number,
): string {
  // No rule moved the score: a person did.
  if (event.cause.type === 'override') return CAUSES.override
  const moved = before === undefined ? [] : movedRules(event.contributions, before, isUp)
  const parts =
    moved.length > 0
      ? moved.map(({ rule, change }) => `${titleOf(rule, model)} ${signed(change)}`)
      : strongestRules(event.contributions, isUp, model)
  const label = moved.length === 0 && !isUp ? 'low: ' : ''
  const cause = CAUSES[event.cause.type]
  let text = cause
  for (const [i, part] of parts.slice(0, SHOWN_RULES).entries()) {
    const longer = [text, i === 0 ? label + part : part].filter(piece => piece !== '').join(SEPARATOR)
    if (i > 0 && textWidth(longer) > columns) break
    text = longer
  }
  return text
}

const CAUSES: Readonly<Record<CauseType, string>> = {
  signal: '',
  late: 'a signal came late',
  window: 'time passed',
  model: 'the model changed',
  override: 'an override began or ended',
  gate: '',
}

/** The rules whose contribution moved in the direction of the score, the strongest first. */
function movedRules(
  now: readonly Contribution[],
  before: readonly Contribution[],
  isUp: boolean,
): { rule: Contribution; change: number }[] {
  const earlier = new Map(before.map(rule => [`${rule.group}/${rule.rule}`, rule.contribution]))
  return now
    .map(rule => ({
      rule,
      change: rule.contribution - (earlier.get(`${rule.group}/${rule.rule}`) ?? 0),
    }))
    .filter(({ change }) => (isUp ? change >= 0.05 : change <= -0.05))
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
}

/** After a rise the rules that add most, after a fall the rules that lack most. */
function strongestRules(
  contributions: readonly Contribution[],
  isUp: boolean,
  model: ModelDefinition | undefined,
): string[] {
  return contributions
    .filter(({ points }) => points !== null)
    .map(rule => ({ rule, most: mostOf(rule, model) }))
    .map(({ rule, most }) => ({ rule, most, rank: isUp ? rule.contribution : most - rule.contribution }))
    .filter(({ rank }) => rank >= 0.5)
    .sort((a, b) => b.rank - a.rank)
    .map(
      ({ rule, most }) => `${titleOf(rule, model)} ${Math.round(rule.contribution)} of ${Math.round(most)}`,
    )
}

/**
 * The most that a rule can add, in units of the score. It grows in proportion when other rules of its group
 * are left out.
 */
function mostOf(rule: Contribution, model: ModelDefinition | undefined): number {
  if (rule.points !== null && rule.points > 0) return (rule.contribution / rule.points) * rule.max
  const weight = model?.groups.find(({ name }) => name === rule.group)?.weight ?? 0
  return (model?.score.scale ?? 0) * weight * rule.max
}

function titleOf({ group, rule }: Contribution, model: ModelDefinition | undefined): string {
  const definition = model?.groups.find(({ name }) => name === group)?.rules.find(({ name }) => name === rule)
  return plainText(definition?.title ?? '') || plainText(rule)
}

function signed(change: number): string {
  const rounded = Math.round(Math.abs(change) * 10) / 10
  return `${change < 0 ? '−' : '+'}${rounded}`
}

/**
 * The contributions at each account's last tier change, so that the next change can show what moved since.
 */
export interface ContributionMemory {
  /** Undefined: nothing is remembered from before this event. */
  before(event: TierChange): readonly Contribution[] | undefined
  /** Call it after the event was printed. */
  remember(at: ContributionsOf): void
}

type ContributionsOf = Pick<TierChange, 'accountId' | 'modelId' | 'contributions'>

/** Keeps the `capacity` latest accounts. */
export function createContributionMemory(capacity = 10_000): ContributionMemory {
  const known = new Map<string, readonly Contribution[]>()
  const keyOf = ({ accountId, modelId }: Omit<ContributionsOf, 'contributions'>): string =>
    `${modelId}\u0000${accountId}`
  return {
    before: event => known.get(keyOf(event)),
    remember(at) {
      const key = keyOf(at)
      // A Map keeps the order of insertion: its first key was remembered the longest ago.
      known.delete(key)
      known.set(key, at.contributions)
      if (known.size > capacity) known.delete(known.keys().next().value!)
    },
  }
}
