import type { Value } from '../../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { type Account, type ActiveModel, momentOf } from './slow-account.ts'
import { readFeature } from './slow-features.ts'
import { DAY_MS, dayOf, HELD_DAYS, HOUR_MS, hourOf } from './slow-numbers.ts'
import { endsOfOverrides } from './slow-overrides.ts'

/** When a score can change although nothing happened. */

const LONGEST_HOUR_WINDOW = 48

export function nextBoundary(account: Account, everyBoundary: boolean): number {
  const { clock } = account
  const hour = hourOf(clock)
  // In a settled account all of whose signals are 48 hours old no full hour can change anything but a midnight does.
  const hoursMatter =
    everyBoundary || !account.settled || account.applied.some(each => each.hour > hour - LONGEST_HOUR_WINDOW)
  const step = hoursMatter && hasHourWindows(account) ? HOUR_MS : DAY_MS
  const sleeps = !everyBoundary && account.settled && isForgotten(account)
  const next = sleeps ? Number.POSITIVE_INFINITY : (Math.floor(clock / step) + 1) * step
  return Math.min(next, ...deadlinesOf(account).filter(deadline => deadline > clock))
}

/** Then every feature reads nothing, today and on all days to come. */
function isForgotten({ applied, clock }: Account): boolean {
  return applied.every(({ day, factsKept }) => day <= dayOf(clock) - HELD_DAYS && factsKept.size === 0)
}

export function hasHourWindows({ standings }: Account): boolean {
  return standings.some(({ active }) => active.hasHourWindows)
}

function deadlinesOf({ applied, standings }: Account): number[] {
  const ofStandings = standings.flatMap(({ active, enteredAt, triggers, alerts }) => [
    enteredAt + active.definition.tierPolicy.dwellMs,
    ...[...triggers.values()].map(state => (state.status === 'idle' ? state.cooldownUntil : state.expiresAt)),
    ...alerts.values(),
  ])
  return [...ofStandings, ...endsOfOverrides(applied)]
}

/**
 * Whether an evaluation at the boundary that the clock is at can differ from the last one. An evaluation is a function of
 * the features, of the standings, of the overrides, and of which deadlines are reached (the ends of overrides and the moments
 * at which an alert may be sent again are among them). If the last one changed no standing (`settled`),
 * the next one changes none as long as the features are the same and no deadline was reached since.
 *
 * A feature other than those in `daily` depends on a signal only through comparisons of its age in days (or hours) with
 * the constants in `turningDays` (or `turningHours`), so it is the same as a day (or hour) ago unless a signal has just
 * reached one of them. The features in `daily` (and `hourly`) are computed and compared with the last evaluation's; none of
 * them reads another feature. A formula, a ratio and the like change only if a feature that they read does. The cost of a day
 * is so about one pass over the account's signals in place of one a feature.
 */
export function mayChange(account: Account): boolean {
  const { clock, settled, standings } = account
  if (!settled || deadlinesOf(account).includes(clock)) return true
  const moment = momentOf(account)
  const { applied, today, hour } = moment
  const anyDiffers = (of: readonly FeatureDefinition[], before: ReadonlyMap<string, Value>) =>
    of.some(feature => readFeature(feature, moment, NONE) !== before.get(feature.name))
  if (
    clock % HOUR_MS === 0 &&
    standings.some(
      ({ active, features }) =>
        applied.some(each => active.turningHours.has(hour - each.hour)) ||
        anyDiffers(active.hourly, features),
    )
  )
    return true
  if (clock % DAY_MS !== 0) return false
  return standings.some(
    ({ active, features }) =>
      applied.some(each => active.turningDays.has(today - each.day)) || anyDiffers(active.daily, features),
  )
}

const NONE: ReadonlyMap<string, Value> = new Map()

const DAILY_TYPES: ReadonlySet<FeatureDefinition['type']> = new Set<FeatureDefinition['type']>([
  'daysUntil',
  'daysSince',
  'daysSinceSignal',
  'daysSustained',
  'periodsSustained',
])

export function activate(definition: ModelDefinition): ActiveModel {
  // At 400 days everything of a signal is forgotten but its facts.
  const turningDays = new Set<number>([HELD_DAYS])
  const turningHours = new Set<number>()
  for (const feature of definition.features) {
    if ('window' in feature) {
      const { unit, length } = feature.window
      if (unit === 'hour') turningHours.add(length)
      else turningDays.add(length)
    }
    if ('windowDays' in feature) turningDays.add(feature.windowDays)
    if (feature.type === 'growth') turningDays.add(2 * feature.windowDays)
    if ('maxAgeDays' in feature && feature.maxAgeDays !== undefined) turningDays.add(feature.maxAgeDays + 1)
  }
  const { features } = definition
  return {
    definition,
    text: JSON.stringify(definition),
    hasHourWindows: turningHours.size > 0,
    turningDays,
    turningHours,
    daily: features.filter(
      feature =>
        DAILY_TYPES.has(feature.type) || (feature.type === 'decayed' && feature.window.unit === 'day'),
    ),
    hourly: features.filter(feature => feature.type === 'decayed' && feature.window.unit === 'hour'),
  }
}
