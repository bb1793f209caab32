import { hash128Hex } from '../../lib/hash.ts'
import { dayOf, HELD_DAYS } from '../../signals/time.ts'
import type { Account } from '../account.ts'
import type { LatestValue } from '../activity/activity.ts'
import type { Series } from '../activity/series.ts'
import type { CompiledModel } from '../definition/compiled-model.ts'
import type { RateDefinition, SegmentDefinition } from '../definition/population-definition.ts'
import { compileSelection } from '../features/selection.ts'
import type { CounterChanges } from './counters.ts'

/**
 * Rates over the population, as counters that the accounts add themselves to.
 *
 * An account in scope is a 1 under its first day; and for each day d with a signal selected, a 1 in the cell (d, p), where p is its selected day before d, or none.
 * In a period each account is then found once, at its first selected day: in the one cell with `from ≤ d ≤ to` and p before `from`. What an account forgets are days before
 * any period that may be asked for; a cell whose p was forgotten becomes (d, none), which is read alike.
 */

/** A rate of one model, with the place of its counters. */
export interface CompiledRate {
  /** The same for the same counts: of the model's id and of what decides the rate. */
  readonly book: string
  readonly definition: RateDefinition
  readonly isSelected: (seriesKey: string) => boolean
}

/** What one account adds to one rate. */
export interface RateShare {
  readonly rate: CompiledRate
  readonly segment: string
  readonly firstDay: number
  /** UTC days with a signal selected, ascending. */
  readonly days: readonly number[]
}

/** UTC days are counted in blocks of so many: one book of counters each, so that a period reads its own blocks alone, 14 of them at most. */
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

/** The book of a block of days: the cells and first days of all segments, so that a period is as many books however many segments there are. */
export function blockBook(rateBook: string, block: number): string {
  return `${rateBook}:${block}`
}

export function blockOf(day: number): number {
  return Math.floor(day / BLOCK_DAYS)
}

/** In the rate's own book: how many accounts of the segment have their first day in the block. */
export function totalField(segment: string, block: number): string {
  return `${segment}:${block}`
}

export function parseTotal(field: string): { readonly segment: string; readonly block: number } {
  const colon = field.lastIndexOf(':')
  return { segment: field.slice(0, colon), block: Number(field.slice(colon + 1)) }
}

/** What a counter in the book of a block is of. */
export type BlockCounter =
  | { readonly type: 'first-day'; readonly segment: string; readonly day: number }
  /** Accounts with this selected day, and this one before it, or none. */
  | {
      readonly type: 'cell'
      readonly segment: string
      readonly day: number
      readonly previous: number | undefined
    }

export function firstDayField(segment: string, day: number): string {
  return `${segment}:${day}`
}

export function cellField(segment: string, day: number, previous: number | undefined): string {
  return `${segment}:${day}:${previous ?? '-'}`
}

/** A segment's text has no colon in it. */
export function parseBlockField(field: string): BlockCounter {
  const first = field.indexOf(':')
  const segment = field.slice(0, first)
  const second = field.indexOf(':', first + 1)
  if (second < 0) return { type: 'first-day', segment, day: Number(field.slice(first + 1)) }
  const day = Number(field.slice(first + 1, second))
  const before = field.slice(second + 1)
  return { type: 'cell', segment, day, previous: before === '-' ? undefined : Number(before) }
}

/** What the account adds to every rate of its models, as its state is now. `ratesOf`: `compileRates`, remembered. */
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

/** Most accounts are counted nowhere. */
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

/** Where a value stands in a segment: its place in the definition's list, `o`ther, or `u`nknown. Of several segments joined by commas. */
function segmentOf(segments: readonly SegmentDefinition[], latest: ReadonlyMap<string, LatestValue>): string {
  return segments
    .map(({ key, values }) => {
      const value = latest.get(key)?.value ?? undefined
      if (value === undefined) return 'u'
      const place = values.indexOf(String(value))
      return place < 0 ? 'o' : place
    })
    .join(',')
}

/** The values, in the order of the segments, that a segment's text stands for. */
export function segmentValues(segment: string, segments: readonly SegmentDefinition[]): string[] {
  const places = segment.split(',')
  return segments.map(({ values }, i) => {
    const place = places[i]!
    return place === 'u' ? 'unknown' : place === 'o' ? 'other' : values[Number(place)]!
  })
}

/** Takes the account's shares as they were out of the counters, and puts those that are now in; what is the same is left alone. */
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

/** Behind what they begin with in common, walks both lists of days at once: most of their cells are the same. */
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
