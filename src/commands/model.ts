import { readConfig } from '../config.ts'
import { readModels } from '../models/model-files.ts'

/** `upswell model check [FILE…]`. @throws InvalidModelError with every problem of every file */
export async function checkModels(files: readonly string[]): Promise<void> {
  const models = await readModels(files.length > 0 ? files : readConfig().models)
  for (const { file, definition } of models) {
    const { id, version, features, groups, triggers } = definition
    const rules = groups.reduce((sum, group) => sum + group.rules.length, 0)
    process.stdout.write(
      `${file}: ${id} version ${version} is valid: ${features.length} features, ${rules} rules, ${triggers.length} triggers\n`,
    )
  }
}
