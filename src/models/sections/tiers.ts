import type {
  ScoreDefinition,
  TierDefinition,
  TierPolicy,
} from '../../scoring/definition/model-definition.ts'
import { checkName, titleOf } from '../blocks.ts'
import type { Report } from '../problems.ts'
import type { RawModel, RawScore, RawTier } from '../raw-model.ts'
import { readDurationMs } from './shared-values.ts'

export function readScore(raw: RawScore, report: Report): ScoreDefinition {
  const { scale, min = 0, max, decimals = 0 } = raw
  if (max <= min) {
    report.add(['score', 'max'], `found max ${max} and min ${min}; accepted: max above min; raise max`)
  }
  return { scale, min, max, decimals }
}

/**
 * @param score undefined if it could not be read; then tiers are not compared with its minimum and maximum.
 */
export function readTiers(
  raw: readonly RawTier[],
  score: ScoreDefinition | undefined,
  report: Report,
): TierDefinition[] {
  const firstWith = new Map<string, number>()
  raw.forEach((tier, index) => {
    const path = ['tiers', index]
    checkName(tier.name, [...path, 'name'], 'value', report)
    const same = firstWith.get(tier.name)
    if (same === undefined) firstWith.set(tier.name, index)
    else {
      const message = `the tier ${tier.name} is also tiers[${same}]; a tier's name is used once; choose another`
      report.add([...path, 'name'], message)
    }
    const before = raw[index - 1]
    if (before !== undefined && tier.from <= before.from) {
      const message = `found from ${tier.from} after ${before.from}; each tier is above the one before; sort them`
      report.add([...path, 'from'], message)
    }
    if (score !== undefined) checkReach(tier, index, score, report)
  })
  return raw.map(({ name, title = titleOf(name), from, action = '', queue }) => ({
    name,
    title,
    from,
    action,
    queue,
  }))
}

function checkReach(tier: RawTier, index: number, score: ScoreDefinition, report: Report): void {
  if (index === 0 && tier.from > score.min) {
    const found = `the lowest tier is from ${tier.from}, and scores begin at ${score.min}`
    report.add(['tiers', index, 'from'], `${found}; it holds all the lowest scores; write from: ${score.min}`)
  }
  if (tier.from > score.max) {
    const found = `the tier ${tier.name} is from ${tier.from}, and scores end at ${score.max}`
    report.add(['tiers', index, 'from'], `${found}; at most that is accepted; lower it`)
  }
}

export function readTierPolicy(raw: RawModel['tierPolicy'], report: Report): TierPolicy {
  const { margin = 0, dwell } = raw ?? {}
  const dwellMs = dwell === undefined ? 0 : (readDurationMs(dwell, ['tierPolicy', 'dwell'], report) ?? 0)
  return { margin, dwellMs }
}
