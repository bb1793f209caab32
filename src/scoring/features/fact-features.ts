import { finite } from '../../lib/round.ts'
import { DAY_MS, dayOf, dayOfDate, lastAnniversary, nextAnniversary } from '../../signals/time.ts'
import type { AccountActivity, HistoryEntry } from '../activity/activity.ts'
import type { FeatureDefinition } from '../definition/feature-definition.ts'
import { READS_NOTHING, type RootFeature, readsKeys } from './root-feature.ts'
import { compileNames } from './selection.ts'

/** Features of latest-wins values. Rules: docs/how-a-score-is-defined.md, "Features". */

export function compileLatest({
  key,
  valueType,
  maxAgeDays,
  fallback,
}: Extract<FeatureDefinition, { type: 'latest' }>): RootFeature {
  return {
    compute: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || latest.value === null || typeof latest.value !== valueType) return fallback
      if (maxAgeDays !== undefined && dayOf(latest.occurredAt) < dayOf(activity.clock) - maxAgeDays)
        return fallback
      return latest.value
    },
    nextChange: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || maxAgeDays === undefined) return Number.POSITIVE_INFINITY
      return after(activity, dayOf(latest.occurredAt) + maxAgeDays + 1)
    },
    nextChangeFollows: 'reads',
    reads: readsKeys(key),
  }
}

export function compileKnownKeys({
  pattern,
  maxAgeDays,
}: Extract<FeatureDefinition, { type: 'knownKeys' }>): RootFeature {
  const matches = compileNames([pattern])
  return {
    compute: activity => {
      const firstDay = maxAgeDays === undefined ? -1 : dayOf(activity.clock) - maxAgeDays
      let count = 0
      for (const [key, { value, occurredAt }] of activity.latest)
        if (value && matches(key) && dayOf(occurredAt) >= firstDay) count++
      return count
    },
    nextChange: activity => {
      if (maxAgeDays === undefined) return Number.POSITIVE_INFINITY
      let next = Number.POSITIVE_INFINITY
      for (const [key, { value, occurredAt }] of activity.latest)
        if (value && matches(key)) next = Math.min(next, after(activity, dayOf(occurredAt) + maxAgeDays + 1))
      return next
    },
    nextChangeFollows: 'reads',
    reads: { ...READS_NOTHING, key: matches },
  }
}

/** The start of a day in ms, or Infinity if it is not after the clock. */
function after(activity: AccountActivity, day: number): number {
  return day * DAY_MS > activity.clock ? day * DAY_MS : Number.POSITIVE_INFINITY
}

export function compileDate(
  definition: Extract<FeatureDefinition, { type: 'daysUntil' | 'daysSince' }>,
): RootFeature {
  const { type, key, everyYear, min, max } = definition
  const givenDate = (activity: AccountActivity): number | undefined =>
    dayOfDate(activity.latest.get(key)?.value)
  const dateOf = (activity: AccountActivity): number | undefined => {
    const date = givenDate(activity)
    if (date === undefined || !everyYear) return date
    const today = dayOf(activity.clock)
    return type === 'daysUntil' ? nextAnniversary(date, today) : lastAnniversary(date, today)
  }
  return {
    compute: activity => {
      const date = dateOf(activity)
      if (date === undefined) return undefined
      const today = dayOf(activity.clock)
      return Math.min(max, Math.max(min, type === 'daysUntil' ? date - today : today - date))
    },
    nextChange: activity => {
      const date = dateOf(activity)
      if (date === undefined) return Number.POSITIVE_INFINITY
      const today = dayOf(activity.clock)
      if (type === 'daysUntil') {
        if (date - today > max) return (date - max + 1) * DAY_MS
        return everyYear || date - today > min ? (today + 1) * DAY_MS : Number.POSITIVE_INFINITY
      }
      if (today - date < min) return (date + min + 1) * DAY_MS
      if (today - date < max) return (today + 1) * DAY_MS
      // Counts from the original date: the anniversary of a 29 February may have been a 1 March.
      return everyYear ? nextAnniversary(givenDate(activity)!, today + 1) * DAY_MS : Number.POSITIVE_INFINITY
    },
    nextChangeFollows: 'reads',
    reads: readsKeys(key),
  }
}

export function compileValueGrowth(key: string, windowDays: number): RootFeature {
  return {
    compute: activity => {
      const latest = activity.latest.get(key)
      if (latest === undefined || typeof latest.value !== 'number') return undefined
      const then = valueOn(latest.history, dayOf(activity.clock) - windowDays)
      return then === undefined || then === 0 ? undefined : finite((latest.value - then) / Math.abs(then))
    },
    nextChange: activity => {
      const until = dayOf(activity.clock) - windowDays
      const next = activity.latest.get(key)?.history.find(entry => dayOf(entry.occurredAt) > until)
      return next === undefined ? Number.POSITIVE_INFINITY : (dayOf(next.occurredAt) + windowDays) * DAY_MS
    },
    nextChangeFollows: 'reads',
    reads: readsKeys(key),
  }
}

/** The number that a key had at the end of a day: the latest entry of its history up to that day. */
export function valueOn(history: readonly HistoryEntry[], day: number): number | undefined {
  return history[entryOn(history, day)]?.value
}

/** The index of the latest entry up to `day`; −1 if there is none. */
export function entryOn(history: readonly HistoryEntry[], day: number): number {
  let low = 0
  let high = history.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (dayOf(history[middle]!.occurredAt) <= day) low = middle + 1
    else high = middle
  }
  return low - 1
}
