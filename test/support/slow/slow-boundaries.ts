import type { Value } from '../../../src/scoring/definition/expression.ts'
import type { FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { type Account, type ActiveModel, momentOf } from './slow-account.ts'
import { readFeature } from './slow-features.ts'
import { DAY_MS, dayOf, HELD_DAYS, HOUR_MS, hourOf } from './slow-numbers.ts'
import { endsOfOverrides } from './slow-overrides.ts'

/** The moments at which a score can change although nothing happened. */

const LONGEST_HOUR_WINDOW = 48

export function nextBoundary(account: Account, everyBoundary: boolean): number {
  const { clock } = account
  const hour = hourOf(clock)
  // Once the account is settled and all its signals are 48 hours old, only midnights can change something.
  const hoursMatter =
    everyBoundary ||
    !account.isSettled ||
    account.applied.some(each => each.hour > hour - LONGEST_HOUR_WINDOW)
  const step = hoursMatter && hasHourWindows(account) ? HOUR_MS : DAY_MS
  const sleeps = !everyBoundary && account.isSettled && isForgotten(account)
  const next = sleeps ? Number.POSITIVE_INFINITY : (Math.floor(clock / step) + 1) * step
  return Math.min(next, ...deadlinesOf(account).filter(deadline => deadline > clock))
}

/** Whether every feature reads nothing, today and on all days to come. */
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

// An evaluation is a function of the features, the standings, the overrides, and the reached deadlines.
// Deadlines include the ends of overrides, and the moments at which an alert may be sent again. If the last
// evaluation changed no standing (`isSettled`), the next one changes none while the features are the same and
// no deadline is reached.
//
// features             change when                              seen by
// most                 a signal's age passes a constant         `turningDays`, `turningHours`
// `daily`, `hourly`    on any day, in any hour                  computing and comparing them
// formulas, ratios …   a feature that they read changes         the features that they read
//
// Features in `daily` and `hourly` read no other feature. So a day costs about one pass over the account's
// signals, not one for each feature.

/** Whether an evaluation at the present boundary can differ from the last one. */
export function mayChange(account: Account): boolean {
  const { clock, isSettled, standings } = account
  if (!isSettled || deadlinesOf(account).includes(clock)) return true
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
  // At 400 days only the facts of a signal are left.
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
