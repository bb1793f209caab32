import { roundScore } from '../../lib/round.ts'
import type { CompiledGate, CompiledNotice } from '../definition/compiled-model.ts'
import type { Value } from '../definition/expression.ts'
import { REASON_PLACEHOLDER } from '../definition/model-definition.ts'
import type { Standing } from '../standing.ts'

/** Whether a gate lets PQLs through. Rules: docs/how-a-score-is-defined.md, "Gates, triggers, PQLs". */
export function isGateOpen({ open, definition }: CompiledGate, values: readonly Value[]): boolean {
  const met = open(values)
  return met === undefined ? definition.missing === 'open' : met === true
}

/** Whether the condition of a trigger or alert is met. No condition is met out of scope. */
export function isMet(standing: Standing, { met }: CompiledNotice): boolean {
  return standing.inScope && met(standing.values) === true
}

/**
 * Replaces `{feature}` by the feature's value (numbers to 2 decimals), and `{feature%}` by whole percents.
 */
export function fillReason(
  reason: string,
  values: Readonly<Record<string, number | string | boolean | null>>,
): string {
  return reason.replace(REASON_PLACEHOLDER, (placeholder, name: string, percent: string) => {
    if (!Object.hasOwn(values, name)) return placeholder
    const value = values[name]
    if (value === null || value === undefined) return 'unknown'
    if (typeof value !== 'number') return String(value)
    return percent === '%' ? `${roundScore(value * 100, 0)}%` : String(roundScore(value, 2))
  })
}
