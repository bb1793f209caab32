import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { checkModel } from './check-model.ts'
import { deepFreeze } from './deep-freeze.ts'

/**
 * A scoring model from the text of its YAML file, as deep-frozen plain data. The language is described by
 * `schemas/scoring-model.schema.json`. The same text gives the same model, on any machine and in any later run: models
 * are read again when a log is replayed.
 *
 * @param file only for messages.
 * @throws InvalidModelError, and nothing else whatever the text is, with everything that is wrong with it.
 */
export function parseModel(text: string, file: string): ModelDefinition {
  return deepFreeze(checkModel(text, file).definition)
}
