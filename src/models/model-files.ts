import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { parseModel } from './parse-model.ts'
import { InvalidModelError, type ModelProblem } from './problems.ts'
import { readYaml } from './yaml/read-yaml.ts'

export interface ModelFile {
  /** The path as given. For a file in a given directory: the directory's path joined with the file's name. */
  readonly file: string
  /** The file's text, unchanged: it is written to the log. */
  readonly text: string
  readonly definition: ModelDefinition
}

/**
 * Reads models from files and directories. From a directory it reads `*.yaml` and `*.yml`, sorted by name,
 * without subdirectories and names that begin with a dot.
 *
 * @throws InvalidModelError with the problems of all files, also for two files with one id
 * @throws Node's own error, with code and path, if a file or directory cannot be read
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
  // Accept links too: the files of a mounted ConfigMap are links. A name with a dot first is no model: macOS
  // writes `._x.yaml` beside a copied file, Emacs `.#x.yaml` beside an edited one.
  const names = entries
    .filter(entry => !entry.isDirectory() && /^[^.].*\.ya?ml$/.test(entry.name))
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
  const position = source.lineColumnAt(source.offsetOf(['id'], 'value'))
  const message = `${other} has the same id ${id}; one version of a model runs at a time; remove one of the files`
  return { file, ...position, path: 'id', message }
}
