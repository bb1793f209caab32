import type { ASTNode } from '@marcbachmann/cel-js'
import { suggestName } from '../../lib/nearest-name.ts'
import type { Expression } from '../../scoring/definition/model-definition.ts'
import {
  describeType,
  fitsType,
  type Scope,
  type TypedExpression,
  typeOfFeature,
  type ValueType,
} from './scope.ts'

export interface TranslationContext {
  readonly scope: Scope
  readonly maxDepth: number
  /** The word for the text in messages. */
  readonly form: 'condition' | 'formula'
  /** Everything that the text may contain, in words. */
  readonly accepted: string
  readonly problem: (offset: number, message: string) => void
}

type Translation = TypedExpression | undefined

/**
 * Translates CEL's syntax tree to our own expression, with its type. Undefined, and reported, if types do
 * not fit or if the tree has something that scoring does not support (maps, macros, functions, indexes,
 * null).
 */
export function translateExpression(ast: ASTNode, context: TranslationContext): Translation {
  return translate(ast, context, 1)
}

function translate(ast: ASTNode, context: TranslationContext, depth: number): Translation {
  if (depth > context.maxDepth) {
    const message = `nested more than ${context.maxDepth} levels deep; fewer are accepted; split the ${context.form}`
    context.problem(ast.start, message)
    return undefined
  }
  switch (ast.op) {
    case 'value':
      return readLiteral(ast.args, message => context.problem(ast.start, message))
    case 'id':
      return translateName(ast.args, ast.start, context)
    case 'call':
      return translateCall(ast.args[0], ast.args[1], ast.start, context)
    case '!_':
    case '-_':
      return translateUnary(ast.op, ast.args, context, depth)
    case '&&':
    case '||': {
      const [left, right] = translateAll(ast.args, 'flag', `${ast.op} joins conditions`, context, depth)
      if (left === undefined || right === undefined) return undefined
      return { type: 'flag', expression: { type: ast.op === '&&' ? 'and' : 'or', left, right } }
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [left, right] = translateAll(ast.args, 'number', `${ast.op} compares numbers`, context, depth)
      if (left === undefined || right === undefined) return undefined
      return { type: 'flag', expression: { type: 'compare', operator: ast.op, left, right } }
    }
    case '+':
    case '-':
    case '*':
    case '/': {
      const [left, right] = translateAll(ast.args, 'number', `${ast.op} is for numbers`, context, depth)
      if (left === undefined || right === undefined) return undefined
      return { type: 'number', expression: { type: 'arithmetic', operator: ast.op, left, right } }
    }
    case '==':
    case '!=':
      return translateEquality(ast.op, ast.args, context, depth)
    case 'in':
      return translateIn(ast.args[0], ast.args[1], context, depth)
    case '?:':
      return translateConditional(ast.args, context, depth)
    default:
      return refuse(ast, context)
  }
}

/** Translates operands that must all have one type. Goes on after a wrong operand: all problems show. */
function translateAll(
  operands: readonly ASTNode[],
  wanted: ValueType,
  reason: string,
  context: TranslationContext,
  depth: number,
): (Expression | undefined)[] {
  return operands.map(operand => {
    const translated = translate(operand, context, depth + 1)
    if (translated === undefined || fitsType(translated.type, wanted)) return translated?.expression
    const found = `${textOf(operand)} is ${describeType(translated.type)}`
    const advice = wanted === 'flag' ? 'compare it, as in x >= 3' : 'use one'
    context.problem(operand.start, `${found}; ${reason}; ${advice}`)
    return undefined
  })
}

function translateName(name: string, offset: number, context: TranslationContext): Translation {
  const type = typeOfFeature(name, context.scope, message => {
    context.problem(offset, context.scope.foreignNames.get(name) ?? message)
  })
  return type && { type, expression: { type: 'feature', name } }
}

function translateCall(
  name: string,
  operands: readonly ASTNode[],
  offset: number,
  context: TranslationContext,
): Translation {
  const { nameKind } = context.scope
  if (name !== 'known') {
    const advice =
      name === 'has' ? `write known(${nameKind})` : suggestName(name, ['known'], 'write it without')
    context.problem(offset, `${name}() is not accepted; the only function is known(${nameKind}); ${advice}`)
    return undefined
  }
  const operand = operands[0]
  if (operands.length !== 1 || operand?.op !== 'id' || operand.args === 'score' || operand.args === 'tier') {
    context.problem(
      offset,
      `known() takes the name of one ${nameKind} and nothing else; write known(${nameKind})`,
    )
    return undefined
  }
  const type = typeOfFeature(operand.args, context.scope, message => context.problem(operand.start, message))
  return type && { type: 'flag', expression: { type: 'known', name: operand.args } }
}

function translateUnary(
  op: '!_' | '-_',
  operand: ASTNode,
  context: TranslationContext,
  depth: number,
): Translation {
  if (op === '!_') {
    const [of] = translateAll([operand], 'flag', '! negates a condition', context, depth)
    return of && { type: 'flag', expression: { type: 'not', of } }
  }
  const [of] = translateAll([operand], 'number', '- is for numbers', context, depth)
  if (of?.type === 'literal')
    return { type: 'number', expression: { type: 'literal', value: 0 - Number(of.value) } }
  return of && { type: 'number', expression: { type: 'negate', of } }
}

function translateEquality(
  operator: '==' | '!=',
  [leftAst, rightAst]: readonly [ASTNode, ASTNode],
  context: TranslationContext,
  depth: number,
): Translation {
  const left = translate(leftAst, context, depth + 1)
  const right = translate(rightAst, context, depth + 1)
  if (left === undefined || right === undefined) return undefined
  if (!fitsType(left.type, right.type)) {
    const found = `${textOf(leftAst)} is ${describeType(left.type)} and ${textOf(rightAst)} is ${describeType(right.type)}`
    context.problem(leftAst.start, `${found}; ${operator} compares two of one type; change one of them`)
    return undefined
  }
  checkTierName(left.expression, [[right.expression, rightAst.start]], context)
  checkTierName(right.expression, [[left.expression, leftAst.start]], context)
  return {
    type: 'flag',
    expression: { type: 'compare', operator, left: left.expression, right: right.expression },
  }
}

function translateIn(
  ofAst: ASTNode,
  listAst: ASTNode,
  context: TranslationContext,
  depth: number,
): Translation {
  const of = translate(ofAst, context, depth + 1)
  if (listAst.op !== 'list' || listAst.args.length === 0) {
    const message = `${textOf(listAst)} is not a list of values; in takes one; write, for example, ["annual", "monthly"]`
    context.problem(listAst.start, message)
    return undefined
  }
  const items = listAst.args.map(item => {
    const literal = translate(item, context, depth + 2)
    if (literal === undefined || of === undefined) return undefined
    if (literal.expression.type === 'literal' && fitsType(literal.type, of.type))
      return literal.expression.value
    const message = `${textOf(item)} is not accepted in this list; a value that is ${describeType(of.type)} is; change it`
    context.problem(item.start, message)
    return undefined
  })
  const list = items.filter(item => item !== undefined)
  if (of === undefined || list.length < items.length) return undefined
  const literals = list.map((value, i) => [{ type: 'literal', value }, listAst.args[i]!.start] as const)
  checkTierName(of.expression, literals, context)
  return { type: 'flag', expression: { type: 'in', of: of.expression, list } }
}

function translateConditional(
  [testAst, thenAst, otherwiseAst]: readonly [ASTNode, ASTNode, ASTNode],
  context: TranslationContext,
  depth: number,
): Translation {
  const [test] = translateAll([testAst], 'flag', 'a condition comes before ?', context, depth)
  const then = translate(thenAst, context, depth + 1)
  const otherwise = translate(otherwiseAst, context, depth + 1)
  if (test === undefined || then === undefined || otherwise === undefined) return undefined
  if (!fitsType(then.type, otherwise.type)) {
    const found = `${textOf(thenAst)} is ${describeType(then.type)} and ${textOf(otherwiseAst)} is ${describeType(otherwise.type)}`
    context.problem(thenAst.start, `${found}; both sides of : have one type; change one of them`)
    return undefined
  }
  const type = then.type === 'any' ? otherwise.type : then.type
  return {
    type,
    // biome-ignore lint/suspicious/noThenProperty: the expression's name for it; nobody awaits an expression
    expression: { type: 'conditional', test, then: then.expression, otherwise: otherwise.expression },
  }
}

/** Reports a text that is compared with `tier` but is not the name of a tier. */
function checkTierName(
  of: Expression,
  compared: readonly (readonly [Expression, offset: number])[],
  context: TranslationContext,
): void {
  const { tierNames } = context.scope
  if (of.type !== 'feature' || of.name !== 'tier' || tierNames === undefined) return
  for (const [expression, offset] of compared) {
    if (expression.type !== 'literal' || tierNames.includes(String(expression.value))) continue
    const name = String(expression.value)
    const advice = suggestName(name, tierNames, 'name one of these')
    context.problem(
      offset,
      `${JSON.stringify(name)} is not a tier; accepted: ${tierNames.join(', ')}; ${advice}`,
    )
  }
}

function refuse(ast: ASTNode, context: TranslationContext): undefined {
  context.problem(
    ast.start,
    `${textOf(ast)} is not accepted in a ${context.form}; accepted: ${context.accepted}; rewrite it`,
  )
  return undefined
}

/** The text of a node, short enough for a message. */
function textOf(ast: ASTNode): string {
  const text = ast.input.slice(ast.start, ast.end).replace(/\s+/g, ' ').trim()
  return text.length > 40 ? `${text.slice(0, 37)}...` : text
}

/**
 * Reads a CEL literal. CEL's whole numbers are bigints; here they are numbers if a double holds them exactly.
 */
function readLiteral(value: unknown, onProblem: (message: string) => void): TypedExpression | undefined {
  switch (typeof value) {
    case 'string':
      return { type: 'text', expression: { type: 'literal', value } }
    case 'boolean':
      return { type: 'flag', expression: { type: 'literal', value } }
    case 'number':
      return { type: 'number', expression: { type: 'literal', value } }
    case 'bigint': {
      const number = Number(value)
      if (Number.isSafeInteger(number))
        return { type: 'number', expression: { type: 'literal', value: number } }
      onProblem(
        `${value} is too large; whole numbers up to ${Number.MAX_SAFE_INTEGER} are accepted; write a smaller one`,
      )
      return undefined
    }
    default:
      onProblem(describeOther(value))
      return undefined
  }
}

function describeOther(value: unknown): string {
  if (value === null)
    return 'null is not accepted; a feature without a value is unknown; write known(feature)'
  if (value instanceof Uint8Array) return 'bytes are not accepted; texts are; remove the b before the quote'
  return 'unsigned numbers are not accepted; numbers are; remove the u after it'
}
