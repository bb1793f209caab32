import { suggestName } from './nearest-name.ts'
import { describeFound, type Path } from './path.ts'
import type { RawExpectation } from './raw-model.ts'
import type { Report } from './report.ts'
import { describeType, fitsType, typeOfValue, type ValueType } from './value-types.ts'

/** All names of a model's file, whether or not what they stand for is right. */
export interface ModelNames {
  readonly features: ReadonlyMap<string, ValueType>
  readonly groups: readonly string[]
  /** Undefined if the tiers could not be read. */
  readonly tiers: readonly string[] | undefined
  readonly triggers: readonly string[]
  readonly alerts: readonly string[]
}

/** More are not listed in a message. */
const MOST_LISTED = 10

/** Reports names that the model does not have, and values that a feature cannot have. */
export function checkExpectation(raw: RawExpectation, path: Path, names: ModelNames, report: Report): void {
  if (raw.tier !== undefined && names.tiers !== undefined)
    checkKnown(raw.tier, 'tier', names.tiers, [...path, 'tier'], 'value', report)
  const checkList = (key: 'pqls' | 'held' | 'alerts', what: string, accepted: readonly string[]) => {
    raw[key]?.forEach((name, index) => {
      checkKnown(name, what, accepted, [...path, key, index], 'value', report)
    })
  }
  checkList('pqls', 'trigger', names.triggers)
  checkList('held', 'trigger', names.triggers)
  checkList('alerts', 'alert', names.alerts)
  raw.held?.forEach((name, index) => {
    if (!raw.pqls?.includes(name)) return
    const message = `${name} is also in pqls; a PQL is open or held; take it away from one of them`
    report.add([...path, 'held', index], message)
  })
  for (const name of Object.keys(raw.groups ?? {})) {
    checkKnown(name, 'group', names.groups, [...path, 'groups', name], 'key', report)
  }
  for (const [name, value] of Object.entries(raw.features ?? {})) {
    const featurePath = [...path, 'features', name]
    checkKnown(name, 'feature', [...names.features.keys()], featurePath, 'key', report)
    const type = names.features.get(name)
    if (value === null || type === undefined || fitsType(typeOfValue(value), type)) continue
    const message = `found ${describeFound(value)}; ${name} is ${describeType(type)}; expect one, or null for unknown`
    report.add(featurePath, message)
  }
}

function checkKnown(
  name: string,
  what: string,
  names: readonly string[],
  path: Path,
  part: 'key' | 'value',
  report: Report,
): void {
  if (names.includes(name)) return
  const accepted =
    names.length === 0
      ? `none, as the model has no ${what}s`
      : names.length > MOST_LISTED
        ? `a name from ${what}s`
        : names.join(', ')
  const advice = suggestName(name, names, `define it under ${what}s, or take it away`)
  report.add(
    path,
    `${describeFound(name)} is not ${article(what)} ${what}; accepted: ${accepted}; ${advice}`,
    part,
  )
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? 'an' : 'a'
}
