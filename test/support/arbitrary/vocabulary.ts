/**
 * The few words that random models and random signals share, so that names, keys, users, days and ids
 * collide.
 */

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** Logs begin in the days after this time. 29 February 2024 is within reach. */
export const EPOCH = Date.UTC(2023, 10, 20)

export const MODEL_IDS = ['growth', 'health'] as const
export const ACTIVITY_KINDS = ['usage', 'intent', 'outcome'] as const
const FACT_KINDS = ['traits', 'health', 'contract'] as const
export const NAMES = ['seat.invited', 'seat.removed', 'report.exported', 'limit.reached'] as const
export const PATTERNS = [...NAMES, 'seat.*', 're*', '*', 'never.sent'] as const
const FACT_PROPERTIES = ['seats', 'plan', 'trial', 'renewsOn'] as const
export const PLANS = ['free', 'pro', 'team'] as const
export const TIER_NAMES = ['cold', 'warm', 'hot', 'ready'] as const
export const TRIGGER_NAMES = ['seats', 'upgrade', 'renew'] as const
export const ALERT_NAMES = ['spike', 'silence'] as const
export const GATE_NAMES = ['healthy', 'quiet'] as const
export const KEYS = FACT_KINDS.flatMap(kind => FACT_PROPERTIES.map(property => `${kind}.${property}`))

export const DAY_WINDOWS = [1, 2, 3, 7, 28, 30, 90, 199, 200, 201, 365, 399, 400] as const
export const HOUR_WINDOWS = [1, 2, 6, 24, 47, 48] as const

/** Windows long enough to change between two signals, and short enough for a few signals to fill. */
export const SHORT_WINDOWS = [1, 2, 3, 5, 7, 30] as const

/** Properties for who and what an account has: keys with a common prefix. */
export const PREFIXED_PROPERTIES = ['stakeholder.cfo', 'stakeholder.it', 'owns.crm'] as const
export const CSMS = ['kim', 'lee'] as const
