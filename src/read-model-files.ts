import { describeError, UpswellError } from './errors.ts'
import { type ModelFile, readModels } from './models/model-files.ts'

/** @throws InvalidModelError; UpswellError INVALID_SETTINGS if a file or folder cannot be read, or none holds a model */
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
