import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { CauseType, Contribution, TierChange } from '../scoring/outputs.ts'
import { plainText, textWidth } from './terminal-text.ts'

/** How many rules a reader takes in at a glance. */
const SHOWN = 3
const SEPARATOR = ' · '

/**
 * Why a tier changed, in one line of about `columns`: a rule that does not fit any more is left out. If the contributions before are known: what moved most (`NPS answer +5`). If not: what the score
 * rests on after a rise (`Use of the plan 28 of 28`), what it lacks most after a fall. Of what a person decided: that it was so.
 */
export function describeChange(
  event: TierChange,
  up: boolean,
  model: ModelDefinition | undefined,
  before: readonly Contribution[] | undefined,
  columns: number,
): string {
  // No rule moved the score: a person did, or stopped to.
  if (event.cause.type === 'override') return CAUSES.override
  const moved = before === undefined ? [] : movedRules(event.contributions, before, up)
  const parts =
    moved.length > 0
      ? moved.map(({ rule, change }) => `${titleOf(rule, model)} ${signed(change)}`)
      : standingRules(event.contributions, up, model)
  const label = moved.length === 0 && !up ? 'low: ' : ''
  const cause = CAUSES[event.cause.type]
  let text = cause
  for (const [i, part] of parts.slice(0, SHOWN).entries()) {
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

/** The rules whose contribution moved the way the score did, the strongest first. */
function movedRules(
  now: readonly Contribution[],
  before: readonly Contribution[],
  up: boolean,
): { rule: Contribution; change: number }[] {
  const earlier = new Map(before.map(rule => [`${rule.group}/${rule.rule}`, rule.contribution]))
  return now
    .map(rule => ({
      rule,
      change: rule.contribution - (earlier.get(`${rule.group}/${rule.rule}`) ?? 0),
    }))
    .filter(({ change }) => (up ? change >= 0.05 : change <= -0.05))
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
}

function standingRules(
  contributions: readonly Contribution[],
  up: boolean,
  model: ModelDefinition | undefined,
): string[] {
  return contributions
    .filter(({ points }) => points !== null)
    .map(rule => ({ rule, most: mostOf(rule, model) }))
    .map(({ rule, most }) => ({ rule, most, rank: up ? rule.contribution : most - rule.contribution }))
    .filter(({ rank }) => rank >= 0.5)
    .sort((a, b) => b.rank - a.rank)
    .map(
      ({ rule, most }) => `${titleOf(rule, model)} ${Math.round(rule.contribution)} of ${Math.round(most)}`,
    )
}

/** The most that a rule can add, in the score's units. Where others of its group are left out it is more, in proportion. */
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
