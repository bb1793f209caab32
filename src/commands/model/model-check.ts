import { readConfig } from '../../app/config.ts'
import { readModelFiles } from '../../app/read-model-files.ts'

/**
 * `upswell model check [FILE…]`: says whether model files are valid.
 * @throws InvalidModelError with every problem of every file; UpswellError INVALID_SETTINGS
 */
export async function checkModels(files: readonly string[]): Promise<void> {
  const models = await readModelFiles(files.length > 0 ? files : readConfig().models)
  for (const { file, definition } of models) {
    const { id, version, features, groups, triggers } = definition
    const rules = groups.reduce((sum, group) => sum + group.rules.length, 0)
    process.stdout.write(
      `${file}: ${id} version ${version} is valid: ${features.length} features, ${rules} rules, ${triggers.length} triggers\n`,
    )
  }
}
