import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { KnownVersion } from '../scoring/partition-memory.ts'
import { modelKey } from '../scoring/standing.ts'
import type { ModelLibrary } from './model-library.ts'
import { InvalidModelError, type ModelProblem } from './problems.ts'
import { readYaml } from './yaml/read-yaml.ts'

/** Whether two models are the same, apart from comments and layout. */
export function isSameContent(a: KnownVersion, b: KnownVersion): boolean {
  // The texts too: the hash of a definition can differ between versions of Upswell.
  return a.contentHash === b.contentHash || a.definitionHash === b.definitionHash
}

/**
 * Models that were edited without a new version: a version of this number was active with other content.
 * Undefined: there are none.
 * @param known of one partition
 */
export function findEditedModels(
  models: readonly CompiledModel[],
  known: ReadonlyMap<string, KnownVersion>,
  library: ModelLibrary,
): InvalidModelError | undefined {
  const edited = models.filter(model => {
    const version = known.get(modelKey(model))
    return version !== undefined && !isSameContent(model, version)
  })
  if (edited.length === 0) return undefined
  return new InvalidModelError(edited.map(model => explain(model, known, library)))
}

function explain(
  model: CompiledModel,
  known: ReadonlyMap<string, KnownVersion>,
  library: ModelLibrary,
): ModelProblem {
  const { id, version } = model.definition
  const { file, text } = library.sourceOf(model)
  const source = readYaml(text)
  const free = nextVersion(id, version, known)
  const message =
    `found version ${version} of ${id} with other content than the version ${version} that is or was active in the log; ` +
    `a version keeps its content once it was active (only comments and layout may change); write "version: ${free}" for the edited model, ` +
    'or set UPSWELL_ALLOW_EDITED_MODELS=true on an installation that only tries models'
  return { file, ...source.lineColumnAt(source.offsetOf(['version'], 'value')), path: 'version', message }
}

/** The lowest version after `version` that was never active. */
function nextVersion(id: string, version: number, known: ReadonlyMap<string, KnownVersion>): number {
  let next = version + 1
  while (known.has(`${id}@${next}`)) next++
  return next
}
