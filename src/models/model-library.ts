import { hash128Hex } from '../lib/hash.ts'
import { compileModel } from '../scoring/definition/compile-model.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import { parseModel } from './parse-model.ts'

/** The text of a model file, and the name of the file for messages. */
export interface ModelSource {
  readonly file: string
  readonly text: string
}

/** A log may hold any number of versions, and some 10 are active at a time. */
const MOST_HELD = 100

/**
 * Compiles each model text once, and remembers the text of every compiled model. It holds the 100 models that
 * were asked for last. Others it finds only while somebody uses them, and compiles them again afterwards.
 */
export class ModelLibrary {
  /** The keys are content hashes; the longest unused model is first. */
  readonly #held = new Map<string, CompiledModel>()
  readonly #used = new Map<string, WeakRef<CompiledModel>>()
  readonly #sources = new WeakMap<CompiledModel, ModelSource>()

  /** The hashes of the models that it holds, used or not. */
  get held(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** @throws InvalidModelError if the text is not a valid model */
  compile(source: ModelSource): CompiledModel {
    const contentHash = hash128Hex(source.text)
    const known = this.#used.get(contentHash)?.deref()
    const model = known ?? compileModel(parseModel(source.text, source.file), contentHash)
    if (known === undefined) this.#add(model, source)
    this.#hold(model)
    return model
  }

  /** Compiles models and sorts them by ascending id, the order that scoring needs. */
  compileAll(sources: readonly ModelSource[]): CompiledModel[] {
    const models = sources.map(source => this.compile(source))
    return models.sort((a, b) => (a.definition.id < b.definition.id ? -1 : 1))
  }

  /** The source of a model. This library must have compiled it. */
  sourceOf(model: CompiledModel): ModelSource {
    return this.#sources.get(model)!
  }

  #add(model: CompiledModel, source: ModelSource): void {
    for (const [hash, used] of this.#used) if (used.deref() === undefined) this.#used.delete(hash)
    this.#used.set(model.contentHash, new WeakRef(model))
    this.#sources.set(model, source)
  }

  #hold(model: CompiledModel): void {
    this.#held.delete(model.contentHash)
    this.#held.set(model.contentHash, model)
    if (this.#held.size <= MOST_HELD) return
    const [longestUnused] = this.#held.keys()
    this.#held.delete(longestUnused!)
  }
}
