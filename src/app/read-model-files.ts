import { describeError, UpswellError } from '../lib/errors.ts'
import { type ModelFile, readModels } from '../models/model-files.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'

/**
 * Reads and checks model files and folders of them.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS if a path cannot be read, or no path holds a model
 */
export async function readModelFiles(from: readonly string[]): Promise<ModelFile[]> {
  const models = await readModels(from).catch((error: NodeJS.ErrnoException) => {
    if (error.path === undefined) throw error
    const text = `cannot read the scoring models in ${error.path}: ${describeError(error)}`
    throw new UpswellError('INVALID_SETTINGS', text, { cause: error })
  })
  if (models.length > 0) return models
  throw new UpswellError(
    'INVALID_SETTINGS',
    `there is no scoring model (*.yaml, *.yml) in ${from.join(', ')}`,
  )
}

/**
 * Reads the model of one file.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, also if the path is a folder with several models
 */
export async function readModelFile(path: string, library: ModelLibrary): Promise<CompiledModel> {
  const models = await readModelFiles([path])
  if (models.length > 1)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${path} holds ${models.length} models; one file is accepted: ${models.map(({ file }) => file).join(', ')}`,
    )
  return library.compile(models[0]!)
}
