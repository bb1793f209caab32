import { hash128Hex } from '../../src/lib/hash.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import { compileModel } from '../../src/scoring/definition/compile-model.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'

/** A library of models whose text is not YAML but a number: of random definitions, which no text was written for. */
export class LibraryOfDefinitions extends ModelLibrary {
  readonly #models: CompiledModel[] = []

  sourceFor(definition: ModelDefinition): ModelSource {
    let place = this.#models.findIndex(model => model.definition === definition)
    if (place < 0) {
      place = this.#models.length
      this.#models.push(compileModel(definition, hash128Hex(String(place))))
    }
    return { file: definition.id, text: String(place) }
  }

  override compile({ text }: ModelSource): CompiledModel {
    return this.#models[Number(text)]!
  }

  override sourceOf(model: CompiledModel): ModelSource {
    return this.sourceFor(model.definition)
  }
}
