import type { Expression, Value } from './expression.ts'

/** Computes a value from the feature vector; `undefined` is unknown. */
export type Evaluate = (values: readonly Value[]) => Value

/**
 * Compiles an expression to closures over the feature vector. An unknown spreads as in Kleene logic:
 * docs/how-a-score-is-defined.md, "Conditions".
 */
export function compileExpression(expression: Expression, slotOf: (feature: string) => number): Evaluate {
  const compile = (inner: Expression) => compileExpression(inner, slotOf)
  switch (expression.type) {
    case 'literal': {
      const { value } = expression
      return () => value
    }
    case 'feature': {
      const slot = slotOf(expression.name)
      return values => values[slot]
    }
    case 'known': {
      const slot = slotOf(expression.name)
      return values => values[slot] !== undefined
    }
    case 'not': {
      const of = compile(expression.of)
      return values => {
        const value = of(values)
        return value === undefined ? undefined : !value
      }
    }
    case 'negate': {
      const of = compile(expression.of)
      return values => {
        const value = of(values)
        return value === undefined ? undefined : -(value as number)
      }
    }
    case 'and':
      return connect(compile(expression.left), compile(expression.right), false)
    case 'or':
      return connect(compile(expression.left), compile(expression.right), true)
    case 'compare':
      return compare(expression.operator, compile(expression.left), compile(expression.right))
    case 'arithmetic':
      return calculate(expression.operator, compile(expression.left), compile(expression.right))
    case 'in': {
      const of = compile(expression.of)
      const list = new Set<Value>(expression.list)
      return values => {
        const value = of(values)
        return value === undefined ? undefined : list.has(value)
      }
    }
    case 'conditional': {
      const [test, then, otherwise] = [
        compile(expression.test),
        compile(expression.then),
        compile(expression.otherwise),
      ]
      return values => {
        const value = test(values)
        return value === undefined ? undefined : value ? then(values) : otherwise(values)
      }
    }
    default:
      return expression satisfies never
  }
}

/** `deciding` is the operand that decides the result alone: false for `and`, true for `or`. */
function connect(left: Evaluate, right: Evaluate, deciding: boolean): Evaluate {
  return values => {
    const a = left(values)
    if (a === deciding) return deciding
    const b = right(values)
    if (b === deciding) return deciding
    return a === undefined || b === undefined ? undefined : !deciding
  }
}

function compare(operator: '<' | '<=' | '>' | '>=' | '==' | '!=', left: Evaluate, right: Evaluate): Evaluate {
  const known = (test: (a: NonNullable<Value>, b: NonNullable<Value>) => boolean): Evaluate => {
    return values => {
      const a = left(values)
      const b = right(values)
      return a === undefined || b === undefined ? undefined : test(a, b)
    }
  }
  switch (operator) {
    case '<':
      return known((a, b) => a < b)
    case '<=':
      return known((a, b) => a <= b)
    case '>':
      return known((a, b) => a > b)
    case '>=':
      return known((a, b) => a >= b)
    case '==':
      return known((a, b) => a === b)
    case '!=':
      return known((a, b) => a !== b)
    default:
      return operator satisfies never
  }
}

function calculate(operator: '+' | '-' | '*' | '/', left: Evaluate, right: Evaluate): Evaluate {
  const known = (apply: (a: number, b: number) => Value): Evaluate => {
    return values => {
      const a = left(values) as number | undefined
      const b = right(values) as number | undefined
      return a === undefined || b === undefined ? undefined : apply(a, b)
    }
  }
  switch (operator) {
    case '+':
      return known((a, b) => a + b)
    case '-':
      return known((a, b) => a - b)
    case '*':
      return known((a, b) => a * b)
    case '/':
      return known((a, b) => (b === 0 ? undefined : a / b))
    default:
      return operator satisfies never
  }
}

/** The features that an expression reads, ascending by name. */
export function featuresRead(expression: Expression): string[] {
  const names = new Set<string>()
  const visit = (inner: Expression): void => {
    switch (inner.type) {
      case 'literal':
        return
      case 'feature':
      case 'known':
        names.add(inner.name)
        return
      case 'not':
      case 'negate':
      case 'in':
        visit(inner.of)
        return
      case 'and':
      case 'or':
      case 'compare':
      case 'arithmetic':
        visit(inner.left)
        visit(inner.right)
        return
      case 'conditional':
        visit(inner.test)
        visit(inner.then)
        visit(inner.otherwise)
        return
      default:
        inner satisfies never
    }
  }
  visit(expression)
  return [...names].sort()
}
