import type { TypedExpression } from './value-types.ts'

/** A literal of CEL. Whole numbers arrive as bigint and are numbers here, as long as a double holds them exactly. */
export function readLiteral(
  value: unknown,
  onProblem: (message: string) => void,
): TypedExpression | undefined {
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
    return 'null is not accepted; a feature that is not there is unknown; write known(feature)'
  if (value instanceof Uint8Array)
    return 'bytes are not accepted; texts are; take the b before the quote away'
  return 'unsigned numbers are not accepted; numbers are; take the u behind it away'
}
