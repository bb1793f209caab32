import { UpswellError } from '../lib/errors.ts'

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
