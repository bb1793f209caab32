import { parseRfc3339 } from './rfc3339.ts'
import type { Signal } from './signal.ts'
import { DAY_MS } from './time.ts'

/** A person's decision about an account in one model, or in all (`*`). It ends at `expiresAt`. */
export interface Override {
  readonly signalId: string
  readonly reason: string
  readonly author: string
  readonly occurredAt: number
  /** ms */
  readonly expiresAt: number
  readonly score: number | undefined
  readonly tier: string | undefined
  /** PQLs are held. */
  readonly hold: boolean
}

/** The name of an override that holds in every model without one of its own. */
export const EVERY_MODEL = '*'

/** The properties of an override that decide something. Others are notes. */
export const OVERRIDE_PROPERTIES = ['reason', 'author', 'expiresAt', 'score', 'tier', 'hold', 'lift'] as const

/** The longest duration of an override. */
const LONGEST_DAYS = 400

/**
 * Reads the properties of an `override` signal: `{"reason","author","expiresAt": RFC
 * 3339,"score"?,"tier"?,"hold"?}`, or `{"reason","author","lift": true}` to end the present override. Returns
 * a sentence that says what is wrong if they are no override.
 */
export function readOverride(signal: Pick<Signal, 'id' | 'properties' | 'occurredAt'>): Override | string {
  const { score, tier, hold, lift, reason, author, expiresAt } = signal.properties as Record<string, unknown>
  if (!isText(reason)) return 'properties.reason is missing; a text that says why is accepted'
  if (!isText(author)) return 'properties.author is missing; a text that says who decided is accepted'
  if (score !== undefined && typeof score !== 'number')
    return 'properties.score is not a number; a number is accepted'
  if (tier !== undefined && !isText(tier))
    return "properties.tier is not a text; the name of one of the model's tiers is accepted"
  if (hold !== undefined && typeof hold !== 'boolean') return 'properties.hold is neither true nor false'
  if (lift !== undefined && typeof lift !== 'boolean') return 'properties.lift is neither true nor false'
  const decides = score !== undefined || tier !== undefined || hold === true
  if (lift === true && decides)
    return 'properties has lift together with score, tier or hold; an override either decides something or lifts an earlier decision'
  if (lift !== true && !decides)
    return 'properties decides nothing; one of score, tier, hold: true and lift: true is accepted'
  const latest = signal.occurredAt + LONGEST_DAYS * DAY_MS
  const until =
    lift === true && expiresAt === undefined
      ? latest
      : isText(expiresAt)
        ? parseRfc3339(expiresAt)
        : undefined
  if (until === undefined)
    return 'properties.expiresAt is missing or is not a time; an RFC 3339 time such as 2026-12-31T00:00:00Z is accepted'
  if (until <= signal.occurredAt || until > latest)
    return `properties.expiresAt is not within ${LONGEST_DAYS} days after occurredAt`
  return {
    signalId: signal.id,
    reason,
    author,
    occurredAt: signal.occurredAt,
    expiresAt: until,
    score,
    tier,
    hold: hold === true,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** The override that holds in a model: its own, otherwise the one for every model. */
export function overrideOf(overrides: ReadonlyMap<string, Override>, modelId: string): Override | undefined {
  if (overrides.size === 0) return undefined
  return overrides.get(modelId) ?? overrides.get(EVERY_MODEL)
}
