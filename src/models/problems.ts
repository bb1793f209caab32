import { UpswellError } from '../lib/errors.ts'
import { describePath, type Path, pointerOf } from './yaml/path.ts'
import type { YamlSource } from './yaml/read-yaml.ts'

/** One thing that is wrong with a model file, and where. Lines and columns start at 1. */
export interface ModelProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The place in the model, such as `groups.usage.rules.breadth.line.corners[1]`; empty for the whole file. */
  readonly path: string
  /** What was found; what is accepted; what to do. */
  readonly message: string
}

/**
 * A model file that does not check. Its message has one line for each problem, `file:line:column: message`, the form that
 * editors and terminals turn into links.
 */
export class InvalidModelError extends UpswellError {
  readonly problems: readonly ModelProblem[]

  constructor(problems: readonly ModelProblem[]) {
    super('INVALID_MODEL', problems.map(describeProblem).join('\n'))
    this.name = 'InvalidModelError'
    this.problems = problems
  }
}

export function describeProblem(problem: ModelProblem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`
}

/** Collects everything that is wrong with one model file, with its place in the file. */
export interface Report {
  /** About the value at a path, or about its key. */
  add(path: Path, message: string, part?: 'key' | 'value'): void
  /** About a character of the text at a path. */
  addInText(path: Path, textOffset: number, message: string): void
  /** A value whose form is wrong, so that nothing may be read from it or from what holds it as a whole. */
  addUnsound(path: Path, message: string, part?: 'key' | 'value'): void
  /** Whether the form of this value, and of everything in it, is right. */
  isSound(path: Path): boolean
  /** In the order of the file, each once; the first 200, if there are more. */
  problems(): ModelProblem[]
}

/** A file with more than this is something else altogether. */
const MAX_PROBLEMS = 200

export function createReport(file: string, source: YamlSource): Report {
  const found: ModelProblem[] = []
  const unsound = new Set<string>()

  const addAt = (offset: number, path: Path, message: string): void => {
    found.push({ file, ...source.placeOf(offset), path: describePath(path), message })
  }
  for (const { offset, path, message } of source.problems) addAt(offset, path, message)

  const add = (path: Path, message: string, part: 'key' | 'value' = 'value'): void => {
    addAt(source.offsetOf(path, part), path, message)
  }
  return {
    add,
    addInText: (path, textOffset, message) => addAt(source.offsetInText(path, textOffset), path, message),
    addUnsound(path, message, part) {
      add(path, message, part)
      for (let length = path.length; length >= 0; length--) unsound.add(pointerOf(path.slice(0, length)))
    },
    isSound: path => !unsound.has(pointerOf(path)),
    problems() {
      const byPlace = found.toSorted((a, b) => a.line - b.line || a.column - b.column)
      const each = [...new Map(byPlace.map(problem => [describeProblem(problem), problem])).values()]
      const next = each[MAX_PROBLEMS]
      if (next === undefined) return each
      const message = `and ${each.length - MAX_PROBLEMS} more problems, from here on; correct those before first`
      return [...each.slice(0, MAX_PROBLEMS), { ...next, message }]
    },
  }
}
