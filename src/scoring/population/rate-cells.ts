import { hash128Hex } from '../../lib/hash.ts'
import { dayOf, HELD_DAYS } from '../../signals/time.ts'
import type { Account } from '../account.ts'
import type { LatestValue } from '../activity/activity.ts'
import type { Series } from '../activity/series.ts'
import type { CompiledModel } from '../definition/compiled-model.ts'
import type { RateDefinition, SegmentDefinition } from '../definition/population-definition.ts'
import { compileSelection } from '../features/selection.ts'
import type { CounterChanges } from './counters.ts'

/** Rates over the population, as counters to which each account adds its share. */

// An account in scope adds
//   1 under its first day;
//   1 in the cell (d, p) for each day d with a selected signal; p is the selected day before d, or none.
// A period `from … to` finds each account once, at its first selected day in the period: in the one cell with
// from ≤ d ≤ to and p < from. An account forgets only days before any period that may be asked for. A cell
// whose p was forgotten becomes (d, none), which gives the same answer.

/** A rate of one model, with its book. */
export interface CompiledRate {
  /** The same for two rates that count the same: it depends on the model's id and the rate's definition. */
  readonly book: string
  readonly definition: RateDefinition
  readonly isSelected: (seriesKey: string) => boolean
}

/** What one account adds to one rate. */
export interface RateShare {
  readonly rate: CompiledRate
  readonly segment: string
  readonly firstDay: number
  /** UTC days with a selected signal, ascending. */
  readonly days: readonly number[]
}

/** Days per block. Each block of UTC days has its own book, so a period reads at most 14 books. */
const BLOCK_DAYS = 32

export function compileRates({ definition }: CompiledModel): CompiledRate[] {
  return definition.rates.map(rate => ({
    book: rateBook(definition.id, rate),
    definition: rate,
    isSelected: compileSelection(rate.select),
  }))
}

export function rateBook(modelId: string, { name, select, segments }: RateDefinition): string {
  return `rate:${modelId}:${hash128Hex(JSON.stringify([name, select, segments]))}`
}

/**
 * The book of a block of days. It holds the cells and first days of all segments, so the number of books does
 * not depend on the segments.
 */
export function blockBook(rateBook: string, block: number): string {
  return `${rateBook}:${block}`
}

export function blockOf(day: number): number {
  return Math.floor(day / BLOCK_DAYS)
}

/** A field of the rate's own book: how many accounts of the segment have their first day in the block. */
function totalField(segment: string, block: number): string {
  return `${segment}:${block}`
}

export function parseTotal(field: string): { readonly segment: string; readonly block: number } {
  const colon = field.lastIndexOf(':')
  return { segment: field.slice(0, colon), block: Number(field.slice(colon + 1)) }
}

/** The meaning of a counter in the book of a block. */
export type BlockCounter =
  | { readonly type: 'first-day'; readonly segment: string; readonly day: number }
  /** Accounts with a signal on `day`, and on `previous` before it (undefined: on no day before). */
  | {
      readonly type: 'cell'
      readonly segment: string
      readonly day: number
      readonly previous: number | undefined
    }

function firstDayField(segment: string, day: number): string {
  return `${segment}:${day}`
}

function cellField(segment: string, day: number, previous: number | undefined): string {
  return `${segment}:${day}:${previous ?? '-'}`
}

/** A segment's text contains no colon. */
export function parseBlockField(field: string): BlockCounter {
  const first = field.indexOf(':')
  const segment = field.slice(0, first)
  const second = field.indexOf(':', first + 1)
  if (second < 0) return { type: 'first-day', segment, day: Number(field.slice(first + 1)) }
  const day = Number(field.slice(first + 1, second))
  const before = field.slice(second + 1)
  return { type: 'cell', segment, day, previous: before === '-' ? undefined : Number(before) }
}

/**
 * What the account adds to each rate of its models in its present state. `ratesOf`: `compileRates`,
 * remembered.
 */
export function rateShares(
  { activity, standings }: Account,
  ratesOf: (model: CompiledModel) => readonly CompiledRate[],
): readonly RateShare[] {
  if (!standings.some(hasRates)) return NO_SHARES
  const shares: RateShare[] = []
  for (const { model, inScope } of standings) {
    if (!inScope || model.definition.rates.length === 0) continue
    for (const rate of ratesOf(model)) {
      const segment = segmentOf(rate.definition.segments, activity.latest)
      const days = selectedDays(activity, rate.isSelected)
      shares.push({ rate, segment, firstDay: activity.firstDay, days })
    }
  }
  return shares
}

/** Most accounts are under no model with rates. */
const NO_SHARES: readonly RateShare[] = []

function hasRates({ model }: Account['standings'][number]): boolean {
  return model.definition.rates.length > 0
}

function selectedDays(
  { clock, series }: Account['activity'],
  isSelected: CompiledRate['isSelected'],
): number[] {
  const selected: Series[] = []
  for (const each of series.list) if (isSelected(each.key)) selected.push(each)
  if (selected.length === 0) return []
  const first = dayOf(clock) - HELD_DAYS + 1
  const marks = new Uint8Array(HELD_DAYS)
  for (const { days } of selected) for (let i = 0; i < days.length; i++) marks[days.at(i) - first] = 1
  const marked: number[] = []
  for (let i = 0; i < HELD_DAYS; i++) if (marks[i] === 1) marked.push(first + i)
  return marked
}

/**
 * An account's values in all segments, joined by commas. Each is an index in the definition's list, `o` for
 * other, or `u` for unknown.
 */
function segmentOf(segments: readonly SegmentDefinition[], latest: ReadonlyMap<string, LatestValue>): string {
  return segments
    .map(({ key, values }) => {
      const value = latest.get(key)?.value ?? undefined
      if (value === undefined) return 'u'
      const index = values.indexOf(String(value))
      return index < 0 ? 'o' : index
    })
    .join(',')
}

/** The values that a segment's text means, in the order of the segments. */
export function segmentValues(segment: string, segments: readonly SegmentDefinition[]): string[] {
  const parts = segment.split(',')
  return segments.map(({ values }, i) => {
    const index = parts[i]!
    return index === 'u' ? 'unknown' : index === 'o' ? 'other' : values[Number(index)]!
  })
}

/** Moves the account's shares in the counters from `before` to `after`. Equal shares cost nothing. */
export function countShares(
  before: readonly RateShare[],
  after: readonly RateShare[],
  changes: CounterChanges,
): void {
  if (before.length === 0 && after.length === 0) return
  const ofRate = (shares: readonly RateShare[], { rate }: RateShare) =>
    shares.find(share => share.rate.book === rate.book)
  for (const share of before) if (ofRate(after, share) === undefined) moveShare(share, undefined, changes)
  for (const share of after) moveShare(ofRate(before, share), share, changes)
}

function moveShare(
  before: RateShare | undefined,
  after: RateShare | undefined,
  changes: CounterChanges,
): void {
  if (before !== undefined && after !== undefined && before.segment === after.segment) {
    if (before.firstDay !== after.firstDay) {
      countFirstDay(before, -1, changes)
      countFirstDay(after, 1, changes)
    }
    countCells(before, after, changes)
    return
  }
  if (before !== undefined) {
    countFirstDay(before, -1, changes)
    countCells(before, { ...before, days: [] }, changes)
  }
  if (after !== undefined) {
    countFirstDay(after, 1, changes)
    countCells({ ...after, days: [] }, after, changes)
  }
}

function countFirstDay({ rate, segment, firstDay }: RateShare, delta: number, changes: CounterChanges): void {
  const block = blockOf(firstDay)
  changes.add(rate.book, totalField(segment, block), delta)
  changes.add(blockBook(rate.book, block), firstDayField(segment, firstDay), delta)
}

/**
 * Skips the days that both lists begin with, then walks both lists at once: most of their cells are equal.
 */
function countCells(before: RateShare, after: RateShare, changes: CounterChanges): void {
  const { rate, segment } = after
  const count = (day: number, previous: number | undefined, delta: number): void =>
    changes.add(blockBook(rate.book, blockOf(day)), cellField(segment, day, previous), delta)
  const [old, now] = [before.days, after.days]
  let i = 0
  while (i < old.length && i < now.length && old[i] === now[i]) i++
  let j = i
  while (i < old.length || j < now.length) {
    const oldDay = old[i] ?? Number.POSITIVE_INFINITY
    const nowDay = now[j] ?? Number.POSITIVE_INFINITY
    if (oldDay !== nowDay || old[i - 1] !== now[j - 1]) {
      if (oldDay <= nowDay) count(oldDay, old[i - 1], -1)
      if (nowDay <= oldDay) count(nowDay, now[j - 1], 1)
    }
    if (oldDay <= nowDay) i++
    if (nowDay <= oldDay) j++
  }
}
