/** A value in a condition. `undefined` is unknown, and spreads as in three-valued (Kleene) logic. */
export type Value = number | string | boolean | undefined

/** A condition or formula after its check. People write it in CEL. */
export type Expression =
  | { readonly type: 'literal'; readonly value: number | string | boolean }
  /** A feature; in triggers and alerts also `score` or `tier`. */
  | { readonly type: 'feature'; readonly name: string }
  /** `known(feature)` is true or false, never unknown. */
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

/** An expression that gives true or false. */
export interface Condition {
  /** The CEL text, for people. */
  readonly text: string
  readonly expression: Expression
}

/** An expression of any type. Where an amount is needed, it gives a number. */
export type Formula = Condition
