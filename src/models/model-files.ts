import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { parseModel } from './parse-model.ts'
import { InvalidModelError, type ModelProblem } from './problems.ts'
import { readYaml } from './yaml/read-yaml.ts'

export interface ModelFile {
  /** The path as it was given; of a directory's files, joined with it. */
  readonly file: string
  /** The file's text as it is, to be written to the log. */
  readonly text: string
  readonly definition: ModelDefinition
}

/**
 * Reads the models in files and directories (of these `*.yaml` and `*.yml`, by name, not below them).
 *
 * @throws InvalidModelError with the problems of all files: one that does not check or is not UTF-8, or two with the same id.
 * @throws Node's own error, with its code and path, if a file or a directory cannot be read.
 */
export async function readModels(from: string | readonly string[]): Promise<ModelFile[]> {
  const files = (await Promise.all([from].flat().map(filesAt))).flat()
  const models: ModelFile[] = []
  const problems: ModelProblem[] = []
  const fileOfId = new Map<string, string>()
  for (const file of files) {
    const bytes = await readFile(file)
    try {
      const text = decode(bytes, file)
      const definition = parseModel(text, file)
      const other = fileOfId.get(definition.id)
      if (other !== undefined) throw new InvalidModelError([sameId(definition.id, text, file, other)])
      fileOfId.set(definition.id, file)
      models.push({ file, text, definition })
    } catch (thrown) {
      if (!(thrown instanceof InvalidModelError)) throw thrown
      problems.push(...thrown.problems)
    }
  }
  if (problems.length > 0) throw new InvalidModelError(problems)
  return models
}

async function filesAt(path: string): Promise<string[]> {
  return (await stat(path)).isDirectory() ? modelFilesIn(path) : [path]
}

async function modelFilesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  // Not only plain files: a mounted configuration (a ConfigMap) is made of links.
  const names = entries
    .filter(entry => !entry.isDirectory() && /\.ya?ml$/.test(entry.name))
    .map(entry => entry.name)
  return names.sort().map(name => join(directory, name))
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const message = 'found bytes that are not UTF-8; a model is UTF-8 text; save it as such'
    throw new InvalidModelError([{ file, line: 1, column: 1, path: '', message }])
  }
}

function sameId(id: string, text: string, file: string, other: string): ModelProblem {
  const source = readYaml(text)
  const place = source.placeOf(source.offsetOf(['id'], 'value'))
  const message = `the id ${id} is also that of ${other}; one version of a model runs at a time; take one file away`
  return { file, ...place, path: 'id', message }
}
