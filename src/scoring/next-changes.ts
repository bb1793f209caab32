import type { AccountActivity } from './activity/activity.ts'
import type { Touched } from './activity/apply-signal.ts'
import type { CompiledFeature } from './definition/compiled-model.ts'
import type { NextChanges, Standing } from './standing.ts'

/** Asks every feature. */
export function findNextChanges({ model }: Standing, activity: AccountActivity): NextChanges {
  const bySlot = new Array<number>(model.features.length)
  for (let slot = 0; slot < bySlot.length; slot++)
    bySlot[slot] = model.features[slot]!.root?.nextChange(activity) ?? Number.POSITIVE_INFINITY
  return { bySlot, earliest: earliestOf(bySlot) }
}

/** Asks the features again whose next change a signal may have moved. */
export function moveNextChanges(
  standing: Standing,
  activity: AccountActivity,
  { series, users, dimensions, keys }: Touched,
): void {
  const { nextChanges } = standing
  if (nextChanges === undefined) return
  const { readers, features } = standing.model
  let moved = false
  if (series !== undefined) {
    const { nextChanging } = readers.ofSeries(series.series.key)
    moved = askAgain(nextChanging, features, nextChanges, activity)
    if (series.isNewDay) moved = askAgain(readers.ofActiveDays, features, nextChanges, activity) || moved
    if (series.isNewHour) moved = askAgain(readers.ofActiveHours, features, nextChanges, activity) || moved
  }
  if (users) moved = askAgain(readers.ofUsers, features, nextChanges, activity) || moved
  for (let i = 0; i < dimensions.length; i++)
    moved = askAgain(readers.ofDimension[dimensions[i]!], features, nextChanges, activity) || moved
  for (let i = 0; i < keys.length; i++)
    moved = askAgain(readers.ofKey(keys[i]!), features, nextChanges, activity) || moved
  if (moved) nextChanges.earliest = earliestOf(nextChanges.bySlot)
}

/** Asks the features again whose moment has come. */
export function passNextChanges({ model, nextChanges }: Standing, activity: AccountActivity): void {
  if (nextChanges === undefined || nextChanges.earliest > activity.clock) return
  const { bySlot } = nextChanges
  for (let slot = 0; slot < bySlot.length; slot++)
    if (bySlot[slot]! <= activity.clock) bySlot[slot] = model.features[slot]!.root!.nextChange(activity)
  nextChanges.earliest = earliestOf(bySlot)
}

/** Returns whether any moment moved. */
function askAgain(
  slots: readonly number[],
  features: readonly CompiledFeature[],
  { bySlot }: NextChanges,
  activity: AccountActivity,
): boolean {
  let moved = false
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const next = features[slot]!.root!.nextChange(activity)
    if (next === bySlot[slot]) continue
    bySlot[slot] = next
    moved = true
  }
  return moved
}

function earliestOf(bySlot: readonly number[]): number {
  let earliest = Number.POSITIVE_INFINITY
  for (let slot = 0; slot < bySlot.length; slot++) if (bySlot[slot]! < earliest) earliest = bySlot[slot]!
  return earliest
}
