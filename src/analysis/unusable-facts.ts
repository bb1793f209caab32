import type { FeatureDefinition } from '../scoring/definition/feature-definition.ts'
import type { PropertyValue } from '../signals/signal.ts'
import { isBlank, quoted } from '../signals/texts.ts'
import { dayOfDate } from '../signals/time.ts'

/** What a feature can read of a key: a value of one type, or a date. */
export interface FactNeed {
  /** `kind.property` */
  readonly key: string
  readonly needs: 'number' | 'string' | 'boolean' | 'date'
}

/** What a feature needs of the keys that it reads. `knownKeys` takes any value. */
export function needsOf(feature: FeatureDefinition): readonly FactNeed[] {
  switch (feature.type) {
    case 'latest':
      return [{ key: feature.key, needs: feature.valueType }]
    case 'daysUntil':
    case 'daysSince':
      return [{ key: feature.key, needs: 'date' }]
    case 'daysSustained':
      return numbers(feature.key, feature.per)
    case 'periodsSustained':
      return numbers(feature.per)
    case 'growth':
      return 'key' in feature.of ? numbers(feature.of.key) : []
    default:
      return []
  }
}

function numbers(...keys: readonly (string | undefined)[]): FactNeed[] {
  return keys.flatMap(key => (key === undefined ? [] : [{ key, needs: 'number' as const }]))
}

/**
 * Why a value cannot be used for a need: what it is, and what is accepted. Undefined: it can be used, or it
 * is no value.
 */
export function misfit(value: PropertyValue | undefined, { key, needs }: FactNeed): string | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && isBlank(value))) return undefined
  if (needs === 'date') {
    if (dayOfDate(value) !== undefined) return undefined
    return `${key} is ${shown(value)}, which is no date${unitOf(value)}; a text such as 2026-01-05, or whole milliseconds since 1970 (from 1973 to 2149), is accepted`
  }
  if (typeof value === needs) return undefined
  return `${key} is ${shown(value)}; ${ACCEPTED[needs]} is accepted`
}

const ACCEPTED = { number: 'a number', string: 'a text', boolean: 'true or false' } as const

const SHOWN_LENGTH = 60

export function shown(value: unknown): string {
  const text = typeof value === 'string' ? quoted(value) : String(JSON.stringify(value))
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text
}

/** Units in which people send times, each in milliseconds. */
const UNITS = [
  ['seconds', 1000],
  ['microseconds', 1e-3],
  ['nanoseconds', 1e-6],
] as const
/** A guess is made for times from 2000 to 2100 only: 20260105 would be a day of 1970 in seconds. */
const GUESSED_FROM_MS = Date.UTC(2000, 0)
const GUESSED_UNTIL_MS = Date.UTC(2100, 0)

function unitOf(value: PropertyValue): string {
  if (typeof value !== 'number') return ''
  const unit = UNITS.find(
    ([, ms]) => value * ms >= GUESSED_FROM_MS && value * ms < GUESSED_UNTIL_MS && value > 0,
  )
  return unit === undefined ? '' : ` (${unit[0]} since 1970?)`
}
