import { firstFrom } from './buckets.ts'
import type { CounterBook } from './counters.ts'
import type { RateDefinition } from './model-definition.ts'
import { blockOf, cellsBook, firstDayField, rateBook, segmentValues, totalField } from './rate-cells.ts'
import { roundScore } from './round.ts'

/** Which windows of days, and which accounts, are asked for. */
export interface RateQuery {
  /** Window lengths in days, 1 to 400, each with the days on which its windows end, ascending. */
  readonly windows: readonly { readonly days: number; readonly ends: readonly number[] }[]
  /** By segment: the only values that count. */
  readonly where: ReadonlyMap<string, ReadonlySet<string>>
  /** The segments that the answer is broken down by. */
  readonly by: readonly string[]
}

/** The rate of some accounts in some days. */
export interface Rate {
  readonly accounts: number
  readonly exhibiting: number
  /** Percent, to 2 decimals; undefined for no accounts. */
  readonly rate: number | undefined
}

/** The answer for accounts that share the values of the segments asked for. */
export interface RateGroup {
  /** By segment, in the order of `by`. */
  readonly values: readonly string[]
  /** By window of the query, by end. */
  readonly rates: readonly (readonly Rate[])[]
}

/** What is to be read for a query, once the rate's own book is known. */
export interface RatePlan {
  readonly query: RateQuery
  readonly definition: RateDefinition
  /** The rate's own book. */
  readonly totals: CounterBook
  readonly segments: readonly SegmentAsked[]
  readonly blocks: readonly number[]
  /** To be read: those of the first segment by block, then of the second … */
  readonly books: readonly string[]
}

/** @param totals the book `rateBook(modelId, definition)` */
export function planRate(
  modelId: string,
  definition: RateDefinition,
  query: RateQuery,
  totals: CounterBook,
): RatePlan {
  const book = rateBook(modelId, definition)
  const segments = segmentsAsked(totals, definition, query)
  const blocks = blocksRead(query)
  const books = segments.flatMap(({ segment }) => blocks.map(block => cellsBook(book, segment, block)))
  return { query, definition, totals, segments, blocks, books }
}

/** The groups, by ascending values; without `by` there is one, also where there are no accounts. `cells`: the plan's books. */
export function answerRate(
  { query, definition, totals, segments, blocks }: RatePlan,
  cells: readonly CounterBook[],
): RateGroup[] {
  const groups = new Map<string, Tally>()
  if (query.by.length === 0) groups.set('[]', createTally([], query))
  const places = query.by.map(name => definition.segments.findIndex(each => each.name === name))
  for (const [i, { segment, values }] of segments.entries()) {
    const groupValues = places.map(place => values[place]!)
    const key = JSON.stringify(groupValues)
    const tally = groups.get(key) ?? createTally(groupValues, query)
    groups.set(key, tally)
    const own = new Map(blocks.map((block, b) => [block, cells[i * blocks.length + b]!]))
    for (const [w, window] of query.windows.entries()) {
      addAccounts(tally.windows[w]!, window.ends, segment, totals, own)
      for (const fields of own.values()) addExhibiting(tally.windows[w]!, window, fields)
    }
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { values, windows }]) => ({ values, rates: windows.map(rates) }))
}

export interface SegmentAsked {
  readonly segment: string
  readonly values: readonly string[]
}

/** Those that have accounts and the values asked for. */
function segmentsAsked(
  totals: CounterBook,
  definition: RateDefinition,
  { where }: RateQuery,
): SegmentAsked[] {
  const found = new Set([...totals.keys()].map(field => field.slice(0, field.lastIndexOf(':'))))
  return [...found]
    .map(segment => ({ segment, values: segmentValues(segment, definition.segments) }))
    .filter(({ values }) =>
      definition.segments.every(({ name }, i) => where.get(name)?.has(values[i]!) ?? true),
    )
}

/** Every block with a day of any window. */
function blocksRead({ windows }: RateQuery): number[] {
  const blocks = new Set<number>()
  for (const { days, ends } of windows) {
    if (ends.length === 0) continue
    for (let block = blockOf(ends[0]! - days + 1); block <= blockOf(ends.at(-1)!); block++) blocks.add(block)
  }
  return [...blocks].sort((a, b) => a - b)
}

interface Tally {
  readonly values: readonly string[]
  readonly windows: readonly WindowTally[]
}

/** By end of the window. */
interface WindowTally {
  readonly accounts: number[]
  /** Against the window before; with one more behind the last. */
  readonly exhibitingChanges: number[]
}

function createTally(values: readonly string[], { windows }: RateQuery): Tally {
  return {
    values,
    windows: windows.map(({ ends }) => ({
      accounts: ends.map(() => 0),
      exhibitingChanges: [...ends.map(() => 0), 0],
    })),
  }
}

/** The accounts whose first day is not after the window's end: whole blocks before its own, and the days of its own. */
function addAccounts(
  { accounts }: WindowTally,
  ends: readonly number[],
  segment: string,
  totals: CounterBook,
  cells: ReadonlyMap<number, CounterBook>,
): void {
  const counts = new Map<number, number>()
  const prefix = totalField(segment, 0).slice(0, -1)
  for (const [field, count] of totals)
    if (field.startsWith(prefix)) counts.set(Number(field.slice(prefix.length)), count)
  ends.forEach((end, i) => {
    const block = blockOf(end)
    for (const [other, count] of counts) if (other < block) accounts[i]! += count
    const days = cells.get(block)!
    for (let day = end; blockOf(day) === block; day--) accounts[i]! += days.get(firstDayField(day)) ?? 0
  })
}

/** An account in the cell (d, p) exhibits in the window of L days that ends on e, if `e − L < d ≤ e` and `p ≤ e − L`: if `max(d, p + L) ≤ e < d + L`. */
function addExhibiting(
  { exhibitingChanges: changes }: WindowTally,
  { days, ends }: RateQuery['windows'][number],
  cells: CounterBook,
): void {
  for (const [field, count] of cells) {
    if (field.startsWith('t:')) continue
    const [dayText, previousText] = field.split(':')
    const day = Number(dayText)
    const first = previousText === '-' ? day : Math.max(day, Number(previousText) + days)
    changes[firstFrom(ends, first)]! += count
    changes[firstFrom(ends, Math.max(first, day + days))]! -= count
  }
}

function rates({ accounts, exhibitingChanges }: WindowTally): Rate[] {
  let exhibiting = 0
  return accounts.map((all, i) => {
    exhibiting += exhibitingChanges[i]!
    return {
      accounts: all,
      exhibiting,
      rate: all === 0 ? undefined : roundScore((100 * exhibiting) / all, 2),
    }
  })
}
