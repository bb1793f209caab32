import { remembered } from '../../lib/remembered.ts'
import { SlotSet } from '../../lib/slot-set.ts'
import type { RootFeature } from '../features/root-feature.ts'
import type { CompiledFeature, CompiledRule, Readers } from './compiled-model.ts'
import { DIMENSIONS, type Dimension } from './feature-definition.ts'

/** `groups`: the rules of each group, as indexes. `slots`: the length of the feature vector. */
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
