import { hash128Hex } from '../../src/lib/hash.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'

/**
 * A library of models without YAML. The text of a model is a number, so that random definitions need no text.
 */
export class LibraryOfDefinitions extends ModelLibrary {
  readonly #models: CompiledModel[] = []

  sourceFor(definition: ModelDefinition): ModelSource {
    let index = this.#models.findIndex(model => model.definition === definition)
    if (index < 0) {
      index = this.#models.length
      this.#models.push(compileModel(definition, hash128Hex(String(index))))
    }
    return { file: definition.id, text: String(index) }
  }

  override compile({ text }: ModelSource): CompiledModel {
    return this.#models[Number(text)]!
  }

  override sourceOf(model: CompiledModel): ModelSource {
    return this.sourceFor(model.definition)
  }
}
