import type { Expression, Value } from '../../../src/scoring/definition/expression.ts'
import { compareTexts } from './slow-numbers.ts'

/** Conditions and formulas in three-valued logic, read from their tree each time. */

export function resultOf(expression: Expression, values: ReadonlyMap<string, Value>): Value {
  switch (expression.type) {
    case 'literal':
      return expression.value
    case 'feature':
      return values.get(expression.name)
    case 'known':
      return values.get(expression.name) !== undefined
    case 'not': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : !of
    }
    case 'negate': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : -asNumber(of)
    }
    case 'and':
    case 'or': {
      const decides = expression.type === 'or'
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      if (left === decides || right === decides) return decides
      return left === undefined || right === undefined ? undefined : !decides
    }
    case 'compare': {
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      return left === undefined || right === undefined ? undefined : compare(expression.operator, left, right)
    }
    case 'arithmetic': {
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      if (left === undefined || right === undefined) return undefined
      return calculate(expression.operator, asNumber(left), asNumber(right))
    }
    case 'in': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : expression.list.includes(of)
    }
    case 'conditional': {
      const test = resultOf(expression.test, values)
      if (test === undefined) return undefined
      return resultOf(test ? expression.then : expression.otherwise, values)
    }
  }
}

export type Known = number | string | boolean

function asNumber(value: Known): number {
  if (typeof value !== 'number')
    throw new Error(`A checked condition does not calculate with a ${typeof value}.`)
  return value
}

function compare(operator: '<' | '<=' | '>' | '>=' | '==' | '!=', left: Known, right: Known): boolean {
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

function calculate(operator: '+' | '-' | '*' | '/', left: number, right: number): Value {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? undefined : left / right
  }
}

/** The features that expressions name, ascending. `score` and `tier` are not features. */
export function namesIn(expressions: readonly Expression[]): string[] {
  const names = new Set<string>()
  const visit = (expression: Expression): void => {
    switch (expression.type) {
      case 'literal':
        return
      case 'feature':
      case 'known':
        names.add(expression.name)
        return
      case 'not':
      case 'negate':
      case 'in':
        visit(expression.of)
        return
      case 'conditional':
        visit(expression.test)
        visit(expression.then)
        visit(expression.otherwise)
        return
      case 'and':
      case 'or':
      case 'compare':
      case 'arithmetic':
        visit(expression.left)
        visit(expression.right)
    }
  }
  for (const expression of expressions) visit(expression)
  return [...names].sort(compareTexts)
}

export function namedValues(
  names: readonly string[],
  values: ReadonlyMap<string, Value>,
): Record<string, Known | null> {
  return Object.fromEntries(names.map(name => [name, values.get(name) ?? null]))
}
