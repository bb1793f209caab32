import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import type { Condition, Formula } from '../../scoring/definition/model-definition.ts'
import { namesIn, valueAt } from '../blocks.ts'
import type { Report } from '../problems.ts'
import type { Path } from '../yaml/path.ts'
import { describeType, fitsType, type Scope, type TypedExpression, type ValueType } from './scope.ts'
import { translateExpression } from './translate-expression.ts'

/** Nested parentheses and operators. The deepest shipped condition has 5 levels. */
const MAX_DEPTH = 32
/** Counts names, numbers, texts and operators. */
const MAX_PARTS = 200

// Only the parser of cel-js is used. Types are checked by `translateExpression`: there a whole number is a
// number, an unknown name gets a suggestion, and one condition can have several problems.
const cel = new Environment({
  limits: { maxDepth: MAX_DEPTH, maxAstNodes: MAX_PARTS, maxListElements: MAX_PARTS },
})

export type ExpressionForm = 'condition' | 'formula'
export interface TypedFormula {
  readonly formula: Formula
  readonly type: ValueType
}

type OnProblem = (offset: number, message: string) => void

/** Reads a condition in CEL. Undefined if it has problems; each is reported at the word where it is. */
export function readCondition(text: string, path: Path, scope: Scope, report: Report): Condition | undefined {
  return readOfType(text, 'condition', 'flag', path, scope, report)
}

/** Reads a formula that gives a number, or a plain number; reports problems as `readCondition` does. */
export function readNumberFormula(
  text: string | number,
  path: Path,
  scope: Scope,
  report: Report,
): Formula | undefined {
  if (typeof text === 'number') return constant(text)
  return readOfType(text, 'formula', 'number', path, scope, report)
}

/** Reads a formula that gives a value of any type; reports problems as `readCondition` does. */
export function readFormula(
  text: string | number,
  path: Path,
  scope: Scope,
  report: Report,
): TypedFormula | undefined {
  if (typeof text === 'number') return { formula: constant(text), type: 'number' }
  const problem: OnProblem = (offset, message) => report.addInText(path, offset, message)
  const read = readExpression(text, 'formula', scope, problem)
  return read && { formula: { text: text.trim(), expression: read.expression }, type: read.type }
}

/** Reads any expression. Undefined if it has problems. `start`: the offset of its first word. */
export function readExpression(
  text: string,
  form: ExpressionForm,
  scope: Scope,
  problem: OnProblem,
): (TypedExpression & { readonly start: number }) | undefined {
  const accepted = describeAccepted(scope)
  const ast = parse(text, form, accepted, problem)
  if (ast === undefined) return undefined
  const translated = translateExpression(ast, { scope, maxDepth: MAX_DEPTH, form, accepted, problem })
  return translated && { ...translated, start: ast.start }
}

function readOfType(
  text: string,
  form: ExpressionForm,
  wanted: 'flag' | 'number',
  path: Path,
  scope: Scope,
  report: Report,
): Condition | undefined {
  const problem: OnProblem = (offset, message) => report.addInText(path, offset, message)
  const read = readExpression(text, form, scope, problem)
  if (read === undefined) return undefined
  if (!fitsType(read.type, wanted)) {
    const advice =
      wanted === 'flag'
        ? 'a condition is true or false; compare it, as in x >= 3'
        : 'this formula is a number; calculate one, as in x ? 1 : 0'
    problem(read.start, `this gives ${describeType(read.type)}; ${advice}`)
    return undefined
  }
  return { text: text.trim(), expression: read.expression }
}

/** The formula of a plain number. */
function constant(value: number): Formula {
  return { text: String(value), expression: { type: 'literal', value } }
}

function describeAccepted({ nameKind }: Scope): string {
  return `${nameKind}s, numbers, texts, && || !, comparisons, + - * /, in [...], ? : and known(${nameKind})`
}

function parse(
  text: string,
  form: ExpressionForm,
  accepted: string,
  problem: OnProblem,
): ASTNode | undefined {
  try {
    return cel.parse(text).ast
  } catch (thrown) {
    problem(...explain(thrown, text, form, accepted))
    return undefined
  }
}

function explain(
  thrown: unknown,
  text: string,
  form: ExpressionForm,
  accepted: string,
): [offset: number, message: string] {
  // The parser is recursive; its own limits do not count "!!!!".
  if (thrown instanceof RangeError)
    return [0, `nested too deeply; at most ${MAX_DEPTH} levels are accepted; split it`]
  if (!(thrown instanceof ParseError)) throw thrown
  const offset = Math.min(thrown.range?.start ?? 0, text.length)
  if (thrown.code === 'limit_exceeded') {
    const limits = `${MAX_DEPTH} levels of nesting and ${MAX_PARTS} parts`
    return [offset, `this ${form} is too large; at most ${limits} are accepted; split it`]
  }
  const word = /^(?:\w+|.)/su.exec(text.slice(offset))?.[0]
  const advice = OTHER_LANGUAGES.get(word?.toLowerCase()) ?? 'correct it here'
  return [offset, `not CEL: ${describeSyntax(thrown, word)}; accepted: ${accepted}; ${advice}`]
}

/** What people who know spreadsheets or SQL write. */
const OTHER_LANGUAGES: ReadonlyMap<string | undefined, string> = new Map([
  ['and', 'write &&'],
  ['or', 'write ||'],
  ['not', 'write !'],
  ['=', 'write =='],
  ['&', 'write &&'],
  ['|', 'write ||'],
])

function describeSyntax(error: ParseError, word: string | undefined): string {
  if (!/^(un)?expected_/.test(error.code)) {
    return error.summary.charAt(0).toLowerCase() + error.summary.slice(1)
  }
  if (word === undefined) return 'unexpected end'
  // Most often a no-break space from a word processor.
  if (/\s/.test(word)) return `unexpected U+${word.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  return `unexpected ${JSON.stringify(word)}`
}

/**
 * Checks the conditions and formulas in a malformed feature, rule, gate, trigger, alert or metric. Their
 * problems are then reported in the same run as the problems of its form.
 */
export function checkExpressionsIn(value: unknown, path: Path, scope: Scope, report: Report): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      checkExpressionsIn(item, [...path, index], scope, report)
    })
    return
  }
  for (const name of namesIn(value)) {
    const inner = valueAt(value, name)
    const innerPath = [...path, name]
    const read = readerOf(name, scope)
    if (read === undefined || typeof inner !== 'string') checkExpressionsIn(inner, innerPath, scope, report)
    else if (report.isWellFormed(innerPath)) read(inner, innerPath, scope, report)
  }
}

/** The function that reads the text under a key; undefined if the text is no expression. */
function readerOf(key: string, { nameKind }: Scope) {
  switch (key) {
    case 'when':
    case 'open':
      return readCondition
    case 'confidence':
    case 'value':
      return readNumberFormula
    case 'formula':
      return nameKind === 'feature' ? readFormula : readNumberFormula
    default:
      return undefined
  }
}
