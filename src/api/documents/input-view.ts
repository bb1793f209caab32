import { misfit, needsOf } from '../../analysis/unusable-facts.ts'
import type { AccountActivity } from '../../scoring/activity/activity.ts'
import type { Slot } from '../../scoring/definition/compiled-model.ts'
import type { Standing } from '../../scoring/standing.ts'
import type { InputDocument } from './schema-parts.ts'

/** Writes a standing's inputs. Says why one is unknown if the account has a value that cannot be used. */
export class InputView {
  readonly #standing: Standing
  readonly #readActivity: () => AccountActivity
  #activity: AccountActivity | undefined

  /** @param readActivity the activity of the standing's account; asked at most once */
  constructor(standing: Standing, readActivity: () => AccountActivity) {
    this.#standing = standing
    this.#readActivity = readActivity
  }

  documents(slots: readonly Slot[]): InputDocument[] {
    return slots.map(({ name, slot }) => {
      const value = this.#standing.values[slot]
      if (value !== undefined) return { name, value, status: 'present' }
      const problem = [...new Set(this.#problems(slot))].join('; ')
      return { name, value: null, status: 'unknown', ...(problem === '' ? {} : { problem }) }
    })
  }

  /** The problems of the feature, or of the unknown features that it is made of. */
  #problems(slot: number): string[] {
    const { model, values } = this.#standing
    const compiled = model.features[slot]
    if (compiled === undefined) return []
    if (compiled.root === undefined) {
      const unknown = compiled.dependsOn.filter(each => values[each] === undefined)
      return unknown.flatMap(each => this.#problems(each))
    }
    return needsOf(model.definition.features[slot]!).flatMap(need => {
      this.#activity ??= this.#readActivity()
      return misfit(this.#activity.latest.get(need.key)?.value, need) ?? []
    })
  }
}
