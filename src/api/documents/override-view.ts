import type { Standing } from '../../scoring/standing.ts'
import { isoTime } from '../../signals/iso-time.ts'
import { EVERY_MODEL, type Override } from '../../signals/override.ts'
import type { OverrideDocument } from './schema-parts.ts'

/** An account's overrides by name: a model's id, or `*`. */
export type Overrides = ReadonlyMap<string, Override>

/** The override in force for a standing, and its effects there; null: there is none, or it was lifted. */
export function overrideDocument(standing: Standing, overrides: Overrides): OverrideDocument | null {
  const { model, inScope, override } = standing
  if (override === undefined || isLift(override)) return null
  const { signalId, reason, author, score, tier, hold } = override
  const decides: OverrideDocument['decides'] = []
  if (inScope && score !== undefined) decides.push('score')
  if (inScope && decidesTier(standing)) decides.push('tier')
  if (inScope && hold) decides.push('pqls')
  return {
    name: overrides.has(model.definition.id) ? model.definition.id : EVERY_MODEL,
    signalId,
    reason,
    author,
    decidedAt: isoTime(override.occurredAt),
    expiresAt: isoTime(override.expiresAt),
    score: score ?? null,
    tier: tier ?? null,
    hold,
    decides,
  }
}

/** Whether an override decides the tier of an account in scope, by the tier's name or by a score. */
export function decidesTier({ model, override }: Standing): boolean {
  if (override === undefined) return false
  return override.score !== undefined || model.definition.tiers.some(({ name }) => name === override.tier)
}

function isLift({ score, tier, hold }: Override): boolean {
  return score === undefined && tier === undefined && !hold
}
