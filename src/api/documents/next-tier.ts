import { roundTo6 } from '../../lib/round.ts'
import { groupPoints, totalScore } from '../../scoring/decisions/score.ts'
import type { Standing } from '../../scoring/standing.ts'
import type { Suggestion } from './explanation-schemas.ts'

const MAX_SUGGESTIONS = 5

/**
 * What would lift the score most: for each rule below its most points, what the score would gain if it alone gave them, with the
 * model's own caps and rounding. Best first; a rule that would change nothing (its group is full) is left out.
 */
export function suggestionsFor(standing: Standing): Suggestion[] {
  const { model, points, known } = standing
  const suggestions = model.rules.flatMap(({ definition, group }, rule) => {
    const given = points[rule]!
    if (given !== null && given >= definition.max) return []
    const gain = roundTo6(scoreWithMost(standing, rule) - standing.score)
    if (gain <= 0) return []
    const { name, title, max } = definition
    return [{ group: group.name, rule: name, title, points: given, max, known: known[rule]!, gain }]
  })
  return suggestions.sort((a, b) => b.gain - a.gain).slice(0, MAX_SUGGESTIONS)
}

function scoreWithMost({ model, points, groupPoints: groups }: Standing, rule: number): number {
  const { definition, group } = model.rules[rule]!
  const changedPoints = points.with(rule, definition.max)
  const changedGroups = model.groups.map((each, i) =>
    each.definition === group ? groupPoints(model, i, changedPoints) : groups[i]!,
  )
  return totalScore(model, changedGroups)
}
