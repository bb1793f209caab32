import { hash128Hex } from '../lib/hash.ts'
import { type CompiledModel, compileModel } from '../scoring/definition/compile-model.ts'
import { parseModel } from './parse-model.ts'

/** The text of a model file, and the name of the file for messages. */
export interface ModelSource {
  readonly file: string
  readonly text: string
}

/** Compiles each model text once, and remembers the text of every compiled model. */
export class ModelLibrary {
  readonly #models = new Map<string, { readonly model: CompiledModel; readonly source: ModelSource }>()

  /** @throws InvalidModelError if the text is not a valid model */
  compile(source: ModelSource): CompiledModel {
    const contentHash = hash128Hex(source.text)
    const known = this.#models.get(contentHash)
    if (known !== undefined) return known.model
    const model = compileModel(parseModel(source.text, source.file), contentHash)
    this.#models.set(contentHash, { model, source })
    return model
  }

  /** Compiles models and sorts them by ascending id, the order that scoring needs. */
  compileAll(sources: readonly ModelSource[]): CompiledModel[] {
    const models = sources.map(source => this.compile(source))
    return models.sort((a, b) => (a.definition.id < b.definition.id ? -1 : 1))
  }

  /** The source of a model. This library must have compiled it. */
  sourceOf(model: CompiledModel): ModelSource {
    return this.#models.get(model.contentHash)!.source
  }
}
