import { remembered } from '../../lib/remembered.ts'
import { SlotSet } from '../../lib/slot-set.ts'
import type { RootFeature } from '../features/root-feature.ts'
import type { CompiledFeature, CompiledRule } from './compile-model.ts'
import { DIMENSIONS, type Dimension } from './model-definition.ts'

/** Who reads what in a model: worked out once, so that a signal costs only what it touches. */
export interface Readers {
  /** The root features that read a series, by its key. */
  readonly ofSeries: (key: string) => SeriesReaders
  /** The slots of those that read users. */
  readonly ofUsers: readonly number[]
  readonly ofDimension: Readonly<Record<Dimension, readonly number[]>>
  /** … that read a latest-wins key. */
  readonly ofKey: (key: string) => readonly number[]
  /** … whose next change follows the days (hours) in which there was anything. */
  readonly ofActiveDays: readonly number[]
  readonly ofActiveHours: readonly number[]
  /** The slots of derived features, in the model's order. */
  readonly derived: readonly number[]
  /** By slot: the rules that read it. */
  readonly rulesOf: readonly (readonly number[])[]
  /** By rule: its group. */
  readonly groupOf: readonly number[]
  /** Empty between two evaluations; kept here so that none makes its own. */
  readonly scratch: Scratch
}

export interface SeriesReaders {
  readonly slots: readonly number[]
  /** Those of them whose next change follows the series itself. */
  readonly nextChanging: readonly number[]
}

/** What an evaluation has found changed so far. */
export interface Scratch {
  readonly slots: SlotSet
  readonly rules: SlotSet
  readonly groups: SlotSet
}

/** `groups`: of each group, the indexes of its rules. `slots`: how long the feature vector is. */
export function compileReaders(
  features: readonly CompiledFeature[],
  rules: readonly CompiledRule[],
  groups: readonly { readonly rules: readonly number[] }[],
  slots: number,
): Readers {
  const slotsWhere = (test: (root: RootFeature) => boolean): readonly number[] =>
    features.flatMap(({ root }, slot) => (root !== undefined && test(root) ? [slot] : []))
  const ofDimension = (dimension: Dimension) => slotsWhere(({ reads }) => reads.dimension === dimension)
  const readsSlot = ({ inputs }: CompiledRule, slot: number): boolean =>
    inputs.some(input => input.slot === slot)
  return {
    ofSeries: remembered(key => {
      const slots = slotsWhere(({ reads }) => reads.series?.(key) === true)
      const follows = (slot: number): boolean => features[slot]!.root!.nextChangeFollows === 'reads'
      return { slots, nextChanging: slots.filter(follows) }
    }),
    ofUsers: slotsWhere(({ reads }) => reads.users),
    ofDimension: Object.fromEntries(DIMENSIONS.map(name => [name, ofDimension(name)])) as Record<
      Dimension,
      readonly number[]
    >,
    ofKey: remembered(key => slotsWhere(({ reads }) => reads.key?.(key) === true)),
    ofActiveDays: slotsWhere(({ nextChangeFollows }) => nextChangeFollows === 'active-days'),
    ofActiveHours: slotsWhere(({ nextChangeFollows }) => nextChangeFollows === 'active-hours'),
    derived: features.flatMap(({ derive }, slot) => (derive === undefined ? [] : [slot])),
    rulesOf: Array.from({ length: slots }, (_, slot) =>
      rules.flatMap((rule, i) => (readsSlot(rule, slot) ? [i] : [])),
    ),
    groupOf: rules.map((_, i) => groups.findIndex(group => group.rules.includes(i))),
    scratch: {
      slots: new SlotSet(slots),
      rules: new SlotSet(rules.length),
      groups: new SlotSet(groups.length),
    },
  }
}
