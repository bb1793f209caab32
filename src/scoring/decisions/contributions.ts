import { roundTo6 } from '../../lib/round.ts'
import type { Slot } from '../definition/compiled-model.ts'
import type { Value } from '../definition/expression.ts'
import type { Contribution } from '../events.ts'
import type { Standing } from '../standing.ts'
import { maxIncluded } from './score.ts'

/**
 * What each rule added to the score, and the values that it read. Both come from the standing; nothing is
 * computed from the activity again.
 */
export function contributionsOf(standing: Standing): Contribution[] {
  const { model, points, known, values } = standing
  const contributions: Contribution[] = []
  for (let groupIndex = 0; groupIndex < model.groups.length; groupIndex++) {
    const group = model.groups[groupIndex]!
    const scale = model.definition.score.scale * group.definition.weight
    // The other rules take over the share of the rules that are left out.
    const included = maxIncluded(model, groupIndex, points)
    const scaledUp = included === 0 ? 0 : group.rulesMax / included
    for (const i of group.rules) {
      const { definition, inputs } = model.rules[i]!
      const given = points[i]!
      contributions.push({
        group: group.definition.name,
        rule: definition.name,
        points: given,
        max: definition.max,
        known: known[i]!,
        contribution: given === null ? 0 : roundTo6(scale * given * scaledUp),
        inputs: readSlots(inputs, values),
      })
    }
  }
  return contributions
}

/** Named values for people and for records; null is unknown. */
export function readSlots(
  slots: readonly Slot[],
  values: readonly Value[],
): Record<string, number | string | boolean | null> {
  return Object.fromEntries(slots.map(({ name, slot }) => [name, values[slot] ?? null]))
}
