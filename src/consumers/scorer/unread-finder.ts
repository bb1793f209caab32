import { ReadNames } from '../../analysis/unread-names.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { Occurrence } from '../../scoring/occurrences.ts'
import type { UnreadBegun } from './step-report.ts'

/** Finds new names of accounts that no active model reads. It remembers answers for one set of models. */
export class UnreadFinder {
  #models: readonly CompiledModel[] = []
  #read = new ReadNames([])

  /** Finds none while no model is active. */
  find(begun: readonly Occurrence[], models: readonly CompiledModel[]): UnreadBegun {
    if (models !== this.#models) {
      this.#models = models
      this.#read = new ReadNames(models)
    }
    const read = this.#read
    return {
      names: models.length === 0 ? [] : begun.filter(({ name }) => !read.isRead(name)),
      nearest: name => read.nearest(name),
    }
  }
}
