import { parseRfc3339 } from './rfc3339.ts'
import type { Signal } from './signal.ts'
import { DAY_MS } from './time.ts'

/** What a person has decided about an account in one model (or in all, under the name `*`), until `expiresAt`. */
export interface Override {
  readonly signalId: string
  readonly reason: string
  readonly author: string
  readonly occurredAt: number
  /** ms */
  readonly expiresAt: number
  readonly score: number | undefined
  readonly tier: string | undefined
  /** PQLs are held back. */
  readonly hold: boolean
}

/** The name of an override of every model that has none of its own. */
export const EVERY_MODEL = '*'

/** The longest that an override may last. */
const LONGEST_DAYS = 400

/**
 * The override that a signal of that kind carries, in its properties:
 * `{"reason","author","expiresAt": RFC 3339,"score"?,"tier"?,"hold"?}`, or `{"reason","author","lift": true}` to end the one that is there.
 * Returns what is wrong with it as a text if it is none.
 */
export function readOverride(signal: Pick<Signal, 'id' | 'properties' | 'occurredAt'>): Override | string {
  const { score, tier, hold, lift, reason, author, expiresAt } = signal.properties as Record<string, unknown>
  if (!isText(reason)) return 'properties.reason is missing; a text that says why is accepted'
  if (!isText(author)) return 'properties.author is missing; a text that says who decided is accepted'
  if (score !== undefined && typeof score !== 'number')
    return 'properties.score is no number; a number is accepted'
  if (tier !== undefined && !isText(tier))
    return "properties.tier is no text; the name of one of the model's tiers is accepted"
  if (hold !== undefined && typeof hold !== 'boolean') return 'properties.hold is neither true nor false'
  if (lift !== undefined && typeof lift !== 'boolean') return 'properties.lift is neither true nor false'
  const decides = score !== undefined || tier !== undefined || hold === true
  if (lift === true && decides)
    return 'properties has lift beside score, tier or hold; an override either decides something or lifts what was decided'
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
    return 'properties.expiresAt is missing or no time; an RFC 3339 time such as 2026-12-31T00:00:00Z is accepted'
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

/** The override that holds for a model: its own, else the one for every model. */
export function overrideOf(overrides: ReadonlyMap<string, Override>, modelId: string): Override | undefined {
  if (overrides.size === 0) return undefined
  return overrides.get(modelId) ?? overrides.get(EVERY_MODEL)
}
