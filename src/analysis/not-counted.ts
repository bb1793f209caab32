import { nearestName } from '../lib/nearest-name.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import { DIMENSIONS } from '../scoring/definition/feature-definition.ts'
import { MOTIONS } from '../scoring/definition/model-definition.ts'
import { compileNames } from '../scoring/features/selection.ts'
import { OVERRIDE_PROPERTIES } from '../signals/override.ts'
import { isActivityKind, type PropertyValue, type Signal } from '../signals/signal.ts'
import { isBlank } from '../signals/texts.ts'
import { dayOf, HELD_DAYS } from '../signals/time.ts'
import { ReadNames } from './unread-names.ts'
import { type FactNeed, misfit, needsOf, shown } from './unusable-facts.ts'

export const NOT_COUNTED_CODES = [
  'duplicate',
  'too-old',
  'unread-name',
  'unread-key',
  'unusable-property',
  'not-a-date',
  'wrong-type',
] as const

/**
 * Something in an accepted signal that will not count, or not as its sender seems to mean. The detail says
 * what was found, and what is accepted.
 */
export interface NotCounted {
  readonly code: (typeof NOT_COUNTED_CODES)[number]
  readonly detail: string
}

/** A detail names at most so many keys. */
const KEYS_NAMED = 3

/** Whether a signal that is observed at `observedAt` (ms) is too old to count at all. */
export function tooOld({ occurredAt }: Signal, observedAt: number): NotCounted | undefined {
  if (dayOf(occurredAt) > dayOf(observedAt) - HELD_DAYS) return undefined
  const detail = `occurredAt is ${new Date(occurredAt).toISOString()}; the last ${HELD_DAYS} days count`
  return { code: 'too-old', detail }
}

/**
 * Properties whose value scoring cannot read, whatever the models are.
 * @param given the properties as they were sent: the signal has only those that scoring can read
 */
export function unusableProperties({ kind, properties }: Signal, given: unknown): NotCounted[] {
  if (kind === 'override') return misspeltDecisions(properties)
  if (kind !== 'usage' && kind !== 'intent') return []
  if (typeof given !== 'object' || given === null) return []
  return DIMENSIONS.flatMap(dimension => {
    const value = (given as Readonly<Record<string, unknown>>)[dimension]
    if (value === undefined || value === null || typeof value === 'string') return []
    const detail = `properties.${dimension} is ${shown(value)}, and counts as no ${dimension}; a text is accepted`
    return [{ code: 'unusable-property' as const, detail }]
  })
}

/** Other properties of an override may be notes. A property with nearly a known name is a mistake. */
function misspeltDecisions(properties: Signal['properties']): NotCounted[] {
  return Object.keys(properties).flatMap(property => {
    if ((OVERRIDE_PROPERTIES as readonly string[]).includes(property)) return []
    const nearest = nearestName(property, OVERRIDE_PROPERTIES)
    if (nearest === undefined) return []
    const detail = `properties.${property} decides nothing; did you mean ${nearest}?`
    return [{ code: 'unread-key' as const, detail }]
  })
}

/** Finds what the models of one set cannot use in accepted signals. */
export class ModelReaders {
  readonly #names: ReadNames
  readonly #needs = new Map<string, { readonly need: FactNeed; readonly reader: string }[]>()
  readonly #amounts: readonly {
    readonly isNamed: (name: string) => boolean
    readonly need: FactNeed
    readonly reader: string
  }[]
  readonly #countsMotions: boolean

  constructor(models: readonly CompiledModel[]) {
    this.#names = new ReadNames(models)
    for (const { definition } of models) {
      for (const feature of definition.features) {
        for (const need of needsOf(feature)) {
          const reader = `the feature ${feature.name} of the model ${definition.id}`
          this.#needs.set(need.key, [...(this.#needs.get(need.key) ?? []), { need, reader }])
        }
      }
    }
    this.#countsMotions = models.some(({ definition }) => definition.kpis !== undefined)
    this.#amounts = models.flatMap(({ definition: { id, kpis } }) =>
      (kpis?.measures ?? []).flatMap(measure => {
        if (measure.type !== 'sum' || measure.property === undefined) return []
        const need: FactNeed = { key: measure.property, needs: 'number' }
        const reader = `the measure ${measure.name} of the model ${id}`
        return [{ isNamed: compileNames(measure.names), need, reader }]
      }),
    )
  }

  /** @param suggest gives the nearest name that is read; the caller limits how often it searches */
  unusedOf(signal: Signal, suggest: (name: string) => string | undefined): NotCounted[] {
    const unread = this.#names.unreadOf(signal)
    const isFact = !isActivityKind(signal.kind) && signal.kind !== 'override'
    return [
      ...(unread.length === 0 ? [] : [unreadNames(isFact ? 'unread-key' : 'unread-name', unread, suggest)]),
      ...(isFact ? this.#misfits(signal) : []),
      ...(signal.kind === 'outcome' ? this.#lostAmounts(signal) : []),
    ]
  }

  nearest(name: string): string | undefined {
    return this.#names.nearest(name)
  }

  /** Makes one entry for a key, though several features may read it. */
  #misfits({ kind, properties }: Signal): NotCounted[] {
    return Object.entries(properties).flatMap(([property, value]) => {
      for (const { need, reader } of this.#needs.get(`${kind}.${property}`) ?? []) {
        const why = misfit(value, need)
        if (why === undefined) continue
        const code = need.needs === 'date' ? ('not-a-date' as const) : ('wrong-type' as const)
        return [{ code, detail: `${why}; ${reader} reads it` }]
      }
      return []
    })
  }

  /** Key figures read an amount and a motion of outcomes. */
  #lostAmounts({ name, properties }: Signal): NotCounted[] {
    const lost: NotCounted[] = []
    const own = (property: string): PropertyValue | undefined =>
      Object.hasOwn(properties, property) ? properties[property] : undefined
    for (const { isNamed, need, reader } of this.#amounts) {
      const why = isNamed(name) ? misfit(own(need.key), need) : undefined
      if (why !== undefined)
        lost.push({ code: 'wrong-type', detail: `properties.${why}; ${reader} adds it up` })
    }
    const motion = own('motion')
    const isMotion =
      motion === undefined || motion === null || (MOTIONS as readonly unknown[]).includes(motion)
    if (this.#countsMotions && !isMotion && !(typeof motion === 'string' && isBlank(motion))) {
      const detail = `properties.motion is ${shown(motion)}, and counts as no motion; one of ${MOTIONS.join(', ')} is accepted`
      lost.push({ code: 'unusable-property', detail })
    }
    return lost
  }
}

function unreadNames(
  code: 'unread-name' | 'unread-key',
  names: readonly string[],
  suggest: (name: string) => string | undefined,
): NotCounted {
  const named = names.slice(0, KEYS_NAMED).map(name => {
    const nearest = suggest(name)
    const found = `no active model reads ${shown(name).slice(1, -1)}`
    return nearest === undefined ? found : `${found}; did you mean ${nearest}?`
  })
  const rest = names.length > KEYS_NAMED ? [`and ${names.length - KEYS_NAMED} more`] : []
  return { code, detail: [...named, ...rest].join('; ') }
}
