import { hash128Hex } from '../../lib/hash.ts'
import type { PropertyValue, Signal } from '../../signals/signal.ts'
import type { Account } from '../account.ts'
import type { CompiledModel } from '../definition/compiled-model.ts'
import { MOTIONS, type Motion } from '../definition/model-definition.ts'
import { perModel } from '../definition/per-model.ts'
import type { MeasureDefinition } from '../definition/population-definition.ts'
import type { PqlEvent } from '../events.ts'
import { compileNames } from '../features/selection.ts'
import type { CounterChanges } from './counters.ts'

/**
 * Counts the material of the key figures while signals are applied. Each measure has a book; each combination
 * of month, motion, tier and CSM has a field in it.
 */

/** The measures of a model that are counted. Two measures that add up the same share one book. */
export interface CompiledKpis {
  readonly csmKey: string | undefined
  readonly outcomes: readonly CompiledMeasure[]
  readonly pqls: string | undefined
  readonly accounts: string | undefined
}

interface CompiledMeasure {
  readonly book: string
  /** In the book's unit: signals, or thousandths. 0: the signal does not count. */
  readonly amount: (signal: Signal) => number
}

type CountedMeasure = Exclude<MeasureDefinition, { type: 'fixed' }>

/** How a count is split: one field of a measure's book. Null: no motion or CSM. */
export interface KpiCell {
  /** `YYYY-MM` */
  readonly month: string
  readonly motion: Motion | null
  readonly tier: string
  readonly csm: string | null
}

/**
 * The largest amount of one signal: 10¹², in any currency. A counter is exact up to 2⁵³ thousandths, nine
 * times this.
 */
const LARGEST_THOUSANDTHS = 1e15
const BOOK_PREFIX = 'kpi:'
/** In UTF-16 code units. The name of a CSM comes from outside, and a counter's name is limited. */
const CSM_LENGTH = 100

function compileKpis({ definition: { id, kpis } }: CompiledModel): CompiledKpis | undefined {
  if (kpis === undefined) return undefined
  const outcomes = new Map<string, CompiledMeasure>()
  let pqls: string | undefined
  let accounts: string | undefined
  for (const measure of kpis.measures) {
    if (measure.type === 'fixed') continue
    const book = measureBook(id, measure)
    if (measure.type === 'pqls') pqls = book
    else if (measure.type === 'accounts') accounts = book
    else outcomes.set(book, { book, amount: compileAmount(measure) })
  }
  return { csmKey: kpis.csmKey, outcomes: [...outcomes.values()], pqls, accounts }
}

/** The book of a measure. It depends on what the measure adds up, not on the measure's name or months. */
export function measureBook(modelId: string, measure: CountedMeasure): string {
  return `${BOOK_PREFIX}${modelId}:${hash128Hex(JSON.stringify(identityOf(measure)))}`
}

/** Whether a book holds counts of events. They cannot be made again from the accounts as they are now. */
export function isKpiBook(book: string): boolean {
  return book.startsWith(BOOK_PREFIX)
}

function identityOf(measure: CountedMeasure): unknown[] {
  if (measure.type === 'pqls' || measure.type === 'accounts') return [measure.type]
  const where = measure.where.map(({ property, values }) => [property, values])
  return [measure.type, measure.names, measure.type === 'sum' ? (measure.property ?? null) : null, where]
}

function compileAmount(
  measure: Extract<MeasureDefinition, { type: 'count' | 'sum' }>,
): (signal: Signal) => number {
  const isNamed = compileNames(measure.names)
  const { property } = measure
  const matches = ({ name, properties }: Signal): boolean =>
    isNamed(name) &&
    measure.where.every(({ property, values }) => isOneOf(values, propertyOf(properties, property)))
  if (measure.type === 'count') return signal => (matches(signal) ? 1 : 0)
  return signal => {
    if (!matches(signal)) return 0
    if (property === undefined) return signal.quantityThousandths
    const value = propertyOf(signal.properties, property)
    return typeof value === 'number' ? thousandths(value) : 0
  }
}

function isOneOf(values: readonly PropertyValue[], value: PropertyValue | undefined): boolean {
  return value !== undefined && values.includes(value)
}

/** Property names come from outside: an object has no `constructor` of its own unless a signal sent one. */
function propertyOf(properties: Signal['properties'], name: string): PropertyValue | undefined {
  return Object.hasOwn(properties, name) ? properties[name] : undefined
}

function thousandths(value: number): number {
  return Math.max(-LARGEST_THOUSANDTHS, Math.min(Math.round(value * 1000), LARGEST_THOUSANDTHS))
}

/** `YYYY-MM`, UTC. */
export function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7)
}

/**
 * The motion to count under: a motion that triggers can have, else none. Otherwise any text would make a
 * group.
 */
export function keptMotion(value: unknown): Motion | null {
  return MOTIONS.find(motion => motion === value) ?? null
}

/** The CSM to count under: none if the value is no text. A long name is cut, never inside a character. */
export function keptCsm(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const isInsideCharacter = (value.codePointAt(CSM_LENGTH - 1) ?? 0) > 0xffff
  return value.slice(0, isInsideCharacter ? CSM_LENGTH - 1 : CSM_LENGTH)
}

export function kpiField({ month, motion, tier, csm }: KpiCell): string {
  return JSON.stringify([month, motion, tier, csm])
}

/** The month of a field. Most fields are of other months, so the rest is not parsed. */
export function monthOfField(field: string): string {
  return field.slice('["'.length, '["YYYY-MM'.length)
}

export function parseKpiField(field: string): KpiCell {
  const [month, motion, tier, csm] = JSON.parse(field) as [string, Motion | null, string, string | null]
  return { month, motion, tier, csm }
}

/** Counts the key figures of one batch. Models without key figures cost nothing. */
export class KpiCounter {
  readonly #changes: CounterChanges
  readonly #kpisOf = perModel(compileKpis)

  constructor(changes: CounterChanges) {
    this.#changes = changes
  }

  /** Counts an account that comes under these models for the first time, at its clock. */
  countArrival({ activity, standings }: Account, isNew: (modelId: string) => boolean): void {
    for (const { model } of standings) {
      const book = this.#kpisOf(model)?.accounts
      if (book === undefined || !isNew(model.definition.id)) continue
      // Arrivals are not split.
      const cell = { month: monthOf(activity.clock), motion: null, tier: '', csm: null }
      this.#changes.add(book, kpiField(cell), 1)
    }
  }

  /**
   * Counts an applied `outcome` signal. `tiersBefore`: the tier's name before the signal, for each standing.
   */
  countOutcome({ activity, standings }: Account, signal: Signal, tiersBefore: readonly string[]): void {
    for (const [i, { model, inScope }] of standings.entries()) {
      const kpis = this.#kpisOf(model)
      if (kpis === undefined || !inScope) continue
      for (const { book, amount } of kpis.outcomes) {
        const delta = amount(signal)
        if (delta === 0) continue
        const cell = {
          month: monthOf(signal.occurredAt),
          motion: keptMotion(propertyOf(signal.properties, 'motion')),
          tier: tiersBefore[i]!,
          csm: csmOf(activity, kpis),
        }
        this.#changes.add(book, kpiField(cell), delta)
      }
    }
  }

  /** Counts a PQL event. The account is in the state that made the event. */
  countPql({ activity, standings }: Account, event: PqlEvent): void {
    if (!isNewPql(event)) return
    const standing = standings.find(({ model }) => model.definition.id === event.modelId)
    const kpis = standing && this.#kpisOf(standing.model)
    if (kpis?.pqls === undefined) return
    const { motion, tier } = event
    const cell = { month: monthOf(event.at), motion, tier, csm: csmOf(activity, kpis) }
    this.#changes.add(kpis.pqls, kpiField(cell), 1)
  }
}

/** A PQL begins with `qualified`, or with `held`. If an open PQL becomes `held`, the cause is `gate`. */
function isNewPql({ status, cause }: PqlEvent): boolean {
  return status === 'qualified' || (status === 'held' && cause.type !== 'gate')
}

function csmOf({ latest }: Account['activity'], { csmKey }: CompiledKpis): string | null {
  return csmKey === undefined ? null : keptCsm(latest.get(csmKey)?.value)
}
