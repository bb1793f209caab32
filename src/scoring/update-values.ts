import type { SlotSet } from '../lib/slot-set.ts'
import type { AccountActivity } from './activity/activity.ts'
import type { Touched, TouchedSeries } from './activity/apply-signal.ts'
import type { CompiledFeature } from './definition/compiled-model.ts'
import type { Value } from './definition/expression.ts'
import type { Standing } from './standing.ts'

/** Computes every feature. */
export function updateAllFeatures({ model, values }: Standing, activity: AccountActivity): void {
  for (let slot = 0; slot < model.features.length; slot++) {
    const { root, derive } = model.features[slot]!
    values[slot] = root === undefined ? derive!(values) : root.compute(activity)
  }
}

/** Time passed: computes the features whose next change has come. `changed` gets the slots that changed. */
export function updatePassed(standing: Standing, activity: AccountActivity, changed: SlotSet): void {
  const { model, nextChanges } = standing
  for (let slot = 0; slot < model.features.length; slot++) {
    const { root } = model.features[slot]!
    if (root === undefined || (nextChanges !== undefined && nextChanges.bySlot[slot]! > activity.clock))
      continue
    setValue(standing.values, slot, root.compute(activity), changed)
  }
  updateDerived(standing, changed)
}

/** A signal touched something: computes the features that read it. `changed` gets the slots that changed. */
export function updateTouched(
  standing: Standing,
  activity: AccountActivity,
  { series, users, dimensions, keys }: Touched,
  changed: SlotSet,
): void {
  const { readers } = standing.model
  if (series !== undefined) updateCounted(standing, activity, series, changed)
  if (users) computeAll(readers.ofUsers, standing, activity, changed)
  for (let i = 0; i < dimensions.length; i++)
    computeAll(readers.ofDimension[dimensions[i]!], standing, activity, changed)
  for (let i = 0; i < keys.length; i++) computeAll(readers.ofKey(keys[i]!), standing, activity, changed)
  updateDerived(standing, changed)
}

function updateCounted(
  { model, values }: Standing,
  activity: AccountActivity,
  touched: TouchedSeries,
  changed: SlotSet,
): void {
  const { slots } = model.readers.ofSeries(touched.series.key)
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const root = model.features[slot]!.root!
    const value =
      root.afterSignal === undefined
        ? root.compute(activity)
        : root.afterSignal(activity, values[slot], touched)
    setValue(values, slot, value, changed)
  }
}

function computeAll(
  slots: readonly number[],
  { model, values }: Standing,
  activity: AccountActivity,
  changed: SlotSet,
): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    setValue(values, slot, model.features[slot]!.root!.compute(activity), changed)
  }
}

/** In the model's order: a derived feature reads only features before it. */
function updateDerived({ model, values }: Standing, changed: SlotSet): void {
  if (changed.size === 0) return
  const { derived } = model.readers
  for (let i = 0; i < derived.length; i++) {
    const slot = derived[i]!
    const feature = model.features[slot]!
    if (readsAny(feature, changed)) setValue(values, slot, feature.derive!(values), changed)
  }
}

function readsAny({ dependsOn }: CompiledFeature, changed: SlotSet): boolean {
  for (let i = 0; i < dependsOn.length; i++) if (changed.has(dependsOn[i]!)) return true
  return false
}

function setValue(values: Value[], slot: number, value: Value, changed: SlotSet): void {
  if (Object.is(value, values[slot])) return
  values[slot] = value
  changed.add(slot)
}
