/** A value in a condition. `undefined` is unknown, and spreads as in three-valued (Kleene) logic. */
export type Value = number | string | boolean | undefined

/** A checked condition; its source is CEL. */
export type Expression =
  | { readonly type: 'literal'; readonly value: number | string | boolean }
  /** A feature, or `score` or `tier` (in triggers only). */
  | { readonly type: 'feature'; readonly name: string }
  /** `known(feature)`: never itself unknown. */
  | { readonly type: 'known'; readonly name: string }
  | { readonly type: 'not' | 'negate'; readonly of: Expression }
  | { readonly type: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly type: 'compare'
      readonly operator: '<' | '<=' | '>' | '>=' | '==' | '!='
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly type: 'arithmetic'
      readonly operator: '+' | '-' | '*' | '/'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly type: 'in'; readonly of: Expression; readonly list: readonly (number | string | boolean)[] }
  | {
      readonly type: 'conditional'
      readonly test: Expression
      readonly then: Expression
      readonly otherwise: Expression
    }

/** An expression as a person wrote it, which is true or false. */
export interface Condition {
  /** The CEL text, for people. */
  readonly text: string
  readonly expression: Expression
}

/** As `Condition`, of any type; where an amount is asked for, a number. */
export type Formula = Condition
