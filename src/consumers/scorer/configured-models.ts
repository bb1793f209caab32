import { findEditedModels, isSameContent } from '../../models/edited-models.ts'
import type { ModelLibrary, ModelSource } from '../../models/model-library.ts'
import type { InvalidModelError } from '../../models/problems.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { KnownVersion, PartitionMemory } from '../../scoring/partition-memory.ts'
import { modelKey } from '../../scoring/standing.ts'

export interface ModelSettings {
  /** The models that must be active where the lineage serves; undefined: those that are. */
  readonly models: readonly ModelSource[] | undefined
  /** Whether a model may change without a new version. Left out: no. */
  readonly allowEditedModels?: boolean
}

/**
 * The models that the settings name, compared with what a partition knows. Comments and layout do not count.
 */
export class ConfiguredModels {
  readonly #library: ModelLibrary
  readonly #allowEdited: boolean
  /** Undefined: whatever is active. */
  readonly #models: readonly CompiledModel[] | undefined

  constructor(library: ModelLibrary, { models, allowEditedModels = false }: ModelSettings) {
    this.#library = library
    this.#allowEdited = allowEditedModels
    this.#models = models === undefined ? undefined : library.compileAll(models)
  }

  /** Whether the partition has nothing to take over. */
  areActive({ promotion, modelSets }: PartitionMemory): boolean {
    if (this.#models === undefined) return true
    const replaced = promotion?.replacedModels.join(' ')
    // A promoted lineage does not take over the models that it replaced.
    if (replaced === this.#models.map(({ contentHash }) => contentHash).join(' ')) return true
    return this.#equal(promotion?.replacedVersions) || this.#equalAll(modelSets.at(-1)!.models)
  }

  /**
   * The configured models that were edited without a new version. Undefined: there are none, or edits
   * are allowed.
   */
  findEdited(memory: PartitionMemory): InvalidModelError | undefined {
    if (this.#models === undefined || this.#allowEdited || this.areActive(memory)) return undefined
    return findEditedModels(this.#models, memory.knownVersions, this.#library)
  }

  /**
   * How the configured models differ from the active ones, for people. `ends` is true if a model is not
   * configured any more: then all its PQLs end.
   */
  describeSwitch({ modelSets }: PartitionMemory): { readonly text: string; readonly ends: boolean } {
    const active = new Map(modelSets.at(-1)!.models.map(model => [model.definition.id, model]))
    const ended = new Map(active)
    const parts: string[] = []
    for (const model of this.#models ?? []) {
      const { id, version } = model.definition
      const before = active.get(id)
      ended.delete(id)
      if (before === undefined) parts.push(`${id} begins with v${version}`)
      else if (before.definition.version !== version)
        parts.push(`${id} v${before.definition.version} becomes v${version}`)
      else if (!isSameContent(model, before)) parts.push(`${id} v${version} has other content`)
    }
    const ends = [...ended.keys()].map(id => `${id} ends, and all its PQLs with it`)
    return { text: [...ends, ...parts].join('; ') || 'their order', ends: ends.length > 0 }
  }

  #equalAll(active: readonly CompiledModel[]): boolean {
    const models = this.#models!
    return models.length === active.length && models.every((model, i) => isSameContent(model, active[i]!))
  }

  #equal(versions: Readonly<Record<string, KnownVersion>> | undefined): boolean {
    const models = this.#models!
    if (versions === undefined || Object.keys(versions).length !== models.length) return false
    return models.every(model => {
      const version = versions[modelKey(model)]
      return version !== undefined && isSameContent(model, version)
    })
  }
}
