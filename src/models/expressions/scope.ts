import { suggestName } from '../../lib/nearest-name.ts'
import type { Expression } from '../../scoring/definition/model-definition.ts'
import type { Report } from '../problems.ts'
import type { Path } from '../yaml/path.ts'

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

/** The names that an expression may use, with the type of each. */
export interface Scope {
  /** What the names stand for: features, or the measures of key figures. */
  readonly what: 'feature' | 'measure'
  readonly types: ReadonlyMap<string, ValueType>
  /** False if the features could not be read at all: then every name is taken to be known. */
  readonly isComplete: boolean
  /** What `tier` can be, where it is a variable and the tiers could be read. */
  readonly tierNames: readonly string[] | undefined
  /** Names that mean something elsewhere, with what to say of each. */
  readonly outOfReach: ReadonlyMap<string, string>
}

/** The type of a feature (or measure); undefined, and `onUnknown` told what is wrong, if there is none of that name. */
export function typeOfFeature(
  name: string,
  scope: Scope,
  onUnknown: (message: string) => void,
): ValueType | undefined {
  const type = scope.types.get(name)
  if (type !== undefined) return type
  if (!scope.isComplete) return 'any'
  const names = [...scope.types.keys()]
  onUnknown(
    `${JSON.stringify(name)} is not a ${scope.what}; accepted: a name from ${scope.what}s; ` +
      suggestName(name, names, `define it under ${scope.what}s`),
  )
  return undefined
}

/** Reports a feature that does not exist or is no number. */
export function checkNumberFeature(name: string, path: Path, scope: Scope, report: Report): void {
  const type = typeOfFeature(name, scope, message => report.add(path, message))
  if (type === 'text' || type === 'flag') {
    report.add(
      path,
      `${name} is ${describeType(type)}; accepted: a feature that is a number; use cases for it`,
    )
  }
}
