import type { Expression } from '../scoring/definition/expression.ts'

/** `any`: its definition is wrong and has been reported; whatever reads it is given the benefit of the doubt. */
export type ValueType = 'number' | 'text' | 'flag' | 'any'

export interface TypedExpression {
  readonly expression: Expression
  readonly type: ValueType
}

const WORDS = { number: 'a number', text: 'a text', flag: 'a flag (true or false)', any: 'unknown' } as const

export function describeType(type: ValueType): string {
  return WORDS[type]
}

export function typeOfValue(value: number | string | boolean): 'number' | 'text' | 'flag' {
  return typeof value === 'number' ? 'number' : typeof value === 'string' ? 'text' : 'flag'
}

export function fitsType(found: ValueType, wanted: ValueType): boolean {
  return found === wanted || found === 'any' || wanted === 'any'
}
