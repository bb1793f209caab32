import { checkExample, runExample } from '../../analysis/run-example.ts'
import { readConfig } from '../../app/config.ts'
import { readModelFiles } from '../../app/read-model-files.ts'
import { formatModelTest, type TestedModel } from '../../console/print-model-test.ts'
import { readExamples } from '../../models/examples.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { lookOf, writeOut } from '../terminal.ts'

export interface ModelTestOptions {
  readonly json?: true
}

/**
 * `upswell model test [FILE…]`: runs the examples of model files. Returns the exit code: 0, or 1 if an
 * example fails.
 * @throws InvalidModelError with every problem of every file; UpswellError INVALID_SETTINGS
 */
export async function testModels(files: readonly string[], { json }: ModelTestOptions): Promise<number> {
  const config = readConfig()
  const library = new ModelLibrary()
  const tested: TestedModel[] = []
  for (const source of await readModelFiles(files.length > 0 ? files : config.models)) {
    const model = library.compile(source)
    const examples = readExamples(source.text, source.file).map(example => {
      const outcome = runExample(model, example)
      return { ...example, outcome, mismatches: checkExample(example.expect, outcome) }
    })
    tested.push({ file: source.file, model: source.definition, examples })
  }
  const text = json === true ? asJson(tested) : formatModelTest(tested, lookOf(config).color)
  await writeOut(`${text}\n`)
  return tested.some(({ examples }) => examples.some(({ mismatches }) => mismatches.length > 0)) ? 1 : 0
}

/** docs/try-a-model.md describes it. */
function asJson(tested: readonly TestedModel[]): string {
  const examples = tested.flatMap(each => each.examples)
  const failed = examples.filter(({ mismatches }) => mismatches.length > 0).length
  const models = tested.map(({ file, model, examples }) => ({
    file,
    modelId: model.id,
    modelVersion: model.version,
    examples: examples.map(({ title, line, accountId, at, mismatches, outcome }) => {
      const { conditions: _, ...found } = outcome
      return {
        title,
        line,
        accountId,
        at: new Date(at).toISOString(),
        passed: mismatches.length === 0,
        mismatches,
        found,
      }
    }),
  }))
  return JSON.stringify({ passed: examples.length - failed, failed, models }, undefined, 2)
}
