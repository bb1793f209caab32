import { UpswellError } from '../lib/errors.ts'
import { describePath, type Path, pointerOf } from './yaml/path.ts'
import type { LineColumn } from './yaml/positions.ts'
import type { YamlSource } from './yaml/read-yaml.ts'

/** One problem of a model file, with its position. */
export interface ModelProblem extends LineColumn {
  readonly file: string
  /** Such as `groups.usage.rules.breadth.line.corners[1]`; empty for the whole file. */
  readonly path: string
  /** In three parts: found; accepted; what to do. */
  readonly message: string
}

/**
 * A model file with problems. The message has a line for each problem: `file:line:column: message`. Editors
 * and terminals turn that form into links.
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

/** Collects the problems of one model file, with their positions. */
export interface Report {
  /** Adds a problem of the value at a path, or of its key. */
  add(path: Path, message: string, part?: 'key' | 'value'): void
  /** Adds a problem that begins at a character of the text at a path. */
  addInText(path: Path, textOffset: number, message: string): void
  /** Adds a problem of a value's form. The value, and all values that contain it, are then malformed. */
  addMalformed(path: Path, message: string, part?: 'key' | 'value'): void
  /** Whether this value, and everything in it, has the right form. */
  isWellFormed(path: Path): boolean
  /** The problems in the order of the file, without repetitions; the first 200, if there are more. */
  problems(): ModelProblem[]
}

/** A file with more problems than this is no model at all. */
const MAX_PROBLEMS = 200

export function createReport(file: string, source: YamlSource): Report {
  const found: ModelProblem[] = []
  const malformed = new Set<string>()

  const addAt = (offset: number, path: Path, message: string): void => {
    found.push({ file, ...source.lineColumnAt(offset), path: describePath(path), message })
  }
  for (const { offset, path, message } of source.problems) addAt(offset, path, message)

  const add = (path: Path, message: string, part: 'key' | 'value' = 'value'): void => {
    addAt(source.offsetOf(path, part), path, message)
  }
  return {
    add,
    addInText: (path, textOffset, message) => addAt(source.offsetInText(path, textOffset), path, message),
    addMalformed(path, message, part) {
      add(path, message, part)
      for (let length = path.length; length >= 0; length--) malformed.add(pointerOf(path.slice(0, length)))
    },
    isWellFormed: path => !malformed.has(pointerOf(path)),
    problems() {
      const inOrder = found.toSorted((a, b) => a.line - b.line || a.column - b.column)
      const each = [...new Map(inOrder.map(problem => [describeProblem(problem), problem])).values()]
      const next = each[MAX_PROBLEMS]
      if (next === undefined) return each
      const message = `and ${each.length - MAX_PROBLEMS} more problems from here on; correct the ones above first`
      return [...each.slice(0, MAX_PROBLEMS), { ...next, message }]
    },
  }
}
