import { suggestName } from '../../lib/nearest-name.ts'
import type { Expression } from '../../scoring/definition/model-definition.ts'
import type { Report } from '../problems.ts'
import type { Path } from '../yaml/path.ts'

/** `any`: the definition has a problem that is already reported, so its readers report no second one. */
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
  /** The kind of the names: features, or the measures of KPIs. */
  readonly nameKind: 'feature' | 'measure'
  readonly types: ReadonlyMap<string, ValueType>
  /** False: the features could not be read. Every name then counts as known. */
  readonly isComplete: boolean
  /**
   * The possible values of `tier`; undefined if `tier` is no variable here or the tiers could not be read.
   */
  readonly tierNames: readonly string[] | undefined
  /** Names that are valid elsewhere, each with the message for its use here. */
  readonly foreignNames: ReadonlyMap<string, string>
}

/** The type of a feature (or measure). Without one: undefined, and `onUnknown` gets a message. */
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
    `${JSON.stringify(name)} is not a ${scope.nameKind}; accepted: a name from ${scope.nameKind}s; ` +
      suggestName(name, names, `define it under ${scope.nameKind}s`),
  )
  return undefined
}

/** Reports a feature that does not exist or is not a number. */
export function checkNumberFeature(name: string, path: Path, scope: Scope, report: Report): void {
  const type = typeOfFeature(name, scope, message => report.add(path, message))
  if (type === 'text' || type === 'flag') {
    report.add(
      path,
      `${name} is ${describeType(type)}; accepted: a feature that is a number; use cases for it`,
    )
  }
}
