import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import type { Condition } from '../scoring/model-definition.ts'
import type { Scope } from './feature-scope.ts'
import type { Path } from './path.ts'
import type { Report } from './report.ts'
import { translateExpression } from './translate-expression.ts'
import { describeType, fitsType } from './value-types.ts'

/** Levels of parentheses and of operators; the longest shipped condition has 5. */
const MAX_DEPTH = 32
/** Names, numbers, texts and operators. */
const MAX_PARTS = 200

// Only the parser is used: types are checked on the way to our own expressions, where a whole number is a number, an
// unknown name has a nearest one, and one condition can have several problems.
const cel = new Environment({
  limits: { maxDepth: MAX_DEPTH, maxAstNodes: MAX_PARTS, maxListElements: MAX_PARTS },
})

const ACCEPTED = 'features, numbers, texts, && || !, comparisons, + - * /, in [...], ? : and known(feature)'

/** A condition in CEL; undefined if something is wrong with it, which is then reported at the very word. */
export function readCondition(text: string, path: Path, scope: Scope, report: Report): Condition | undefined {
  const problem = (offset: number, message: string) => report.addInText(path, offset, message)
  const ast = parse(text, problem)
  if (ast === undefined) return undefined
  const translated = translateExpression(ast, { scope, maxDepth: MAX_DEPTH, accepted: ACCEPTED, problem })
  if (translated === undefined) return undefined
  if (!fitsType(translated.type, 'flag')) {
    const found = `this gives ${describeType(translated.type)}`
    problem(ast.start, `${found}; a condition is true or false; compare it, as in x >= 3`)
    return undefined
  }
  return { text: text.trim(), expression: translated.expression }
}

function parse(text: string, problem: (offset: number, message: string) => void): ASTNode | undefined {
  try {
    return cel.parse(text).ast
  } catch (thrown) {
    problem(...explain(thrown, text))
    return undefined
  }
}

function explain(thrown: unknown, text: string): [offset: number, message: string] {
  // The parser is recursive; its own limits do not count "!!!!".
  if (thrown instanceof RangeError)
    return [0, `nested too deeply; at most ${MAX_DEPTH} levels are accepted; split it`]
  if (!(thrown instanceof ParseError)) throw thrown
  const offset = Math.min(thrown.range?.start ?? 0, text.length)
  if (thrown.code === 'limit_exceeded') {
    const limits = `${MAX_DEPTH} levels of nesting and ${MAX_PARTS} parts`
    return [offset, `this condition is too large; at most ${limits} are accepted; split it`]
  }
  const word = /^(?:\w+|.)/su.exec(text.slice(offset))?.[0]
  const advice = OTHER_LANGUAGES.get(word?.toLowerCase()) ?? 'correct it here'
  return [offset, `not CEL: ${describeSyntax(thrown, word)}; accepted: ${ACCEPTED}; ${advice}`]
}

/** What people write who come from spreadsheets or SQL. */
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
  // A no-break space, most often, from a word processor.
  if (/\s/.test(word)) return `unexpected U+${word.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  return `unexpected ${JSON.stringify(word)}`
}
