import type { SlotSet } from '../lib/slot-set.ts'
import { coverage, groupPoints, totalScore } from './decisions/score.ts'
import type { Standing } from './standing.ts'

/** Computes every rule, every group and the total. */
export function updateWholeScore(standing: Standing): void {
  const { model, points } = standing
  for (let i = 0; i < model.rules.length; i++) updateRule(standing, i)
  for (let i = 0; i < model.groups.length; i++) standing.groupPoints[i] = groupPoints(model, i, points)
  standing.rulesScore = totalScore(model, standing.groupPoints)
  standing.coverage = coverage(model, standing.known)
}

/** Computes only the rules that read a slot in `changed`, and the groups whose rules gave other points. */
export function updateScore(standing: Standing, changed: SlotSet): void {
  const { model, points } = standing
  const { rulesOf, groupOf, scratch } = model.readers
  const { rules, groups } = scratch
  for (let i = 0; i < changed.size; i++) {
    const reading = rulesOf[changed.at(i)]!
    for (let k = 0; k < reading.length; k++) rules.add(reading[k]!)
  }
  let knownChanged = false
  for (let i = 0; i < rules.size; i++) {
    const rule = rules.at(i)
    const knownBefore = standing.known[rule]
    const pointsBefore = points[rule]
    updateRule(standing, rule)
    knownChanged ||= standing.known[rule] !== knownBefore
    if (!Object.is(points[rule], pointsBefore)) groups.add(groupOf[rule]!)
  }
  for (let i = 0; i < groups.size; i++) {
    const group = groups.at(i)
    standing.groupPoints[group] = groupPoints(model, group, points)
  }
  if (groups.size > 0) standing.rulesScore = totalScore(model, standing.groupPoints)
  if (knownChanged) standing.coverage = coverage(model, standing.known)
  rules.clear()
  groups.clear()
}

function updateRule({ model, values, points, known }: Standing, i: number): void {
  const rule = model.rules[i]!
  const given = rule.points(values)
  known[i] = given !== undefined
  points[i] = given ?? rule.missingPoints
}
