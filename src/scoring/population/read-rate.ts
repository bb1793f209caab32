import { roundScore } from '../../lib/round.ts'
import { firstFrom } from '../activity/buckets.ts'
import type { RateDefinition } from '../definition/population-definition.ts'
import type { CounterBook } from './counters.ts'
import {
  type BlockCounter,
  blockBook,
  blockOf,
  parseBlockField,
  parseTotal,
  rateBook,
  segmentValues,
} from './rate-cells.ts'

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
  readonly segments: readonly SegmentAsked[]
  /** To be read, each by itself: one for each block of days, from that of the first window's first day to that of the last window's last. */
  readonly books: readonly string[]
}

/** A segment that has accounts, and the values asked for. */
interface SegmentAsked {
  readonly segment: string
  /** In the order of the query's `by`. */
  readonly groupValues: readonly string[]
  /** Whose first day is before all that is read. */
  readonly accountsBefore: number
}

/** @param totals the book `rateBook(modelId, definition)` */
export function planRate(
  modelId: string,
  definition: RateDefinition,
  query: RateQuery,
  totals: CounterBook,
): RatePlan {
  const blocks = blocksRead(query)
  const book = rateBook(modelId, definition)
  return {
    query,
    segments: segmentsAsked(totals, definition, query, blocks[0]),
    books: blocks.map(block => blockBook(book, block)),
  }
}

/** Adds up what is counted in the books of a plan, in any order and any parts. */
export interface RateTally {
  add(field: string, count: number): void
  /** By ascending values; without `by` there is one, also where there are no accounts. */
  groups(): RateGroup[]
  /** Over all groups. By window of the query, by end. */
  total(): Rate[][]
}

export function createRateTally({ query, segments }: RatePlan): RateTally {
  const groups = new Map<string, GroupTally>()
  const groupOf = (values: readonly string[]): GroupTally => {
    const key = JSON.stringify(values)
    const group = groups.get(key) ?? createGroup(values, query)
    groups.set(key, group)
    return group
  }
  if (query.by.length === 0) groupOf([])
  const bySegment = new Map<string, GroupTally>()
  for (const { segment, groupValues, accountsBefore } of segments) {
    const group = groupOf(groupValues)
    bySegment.set(segment, group)
    for (const { accounts } of group.windows) accounts[0]! += accountsBefore
  }
  return {
    add: (field, count) => {
      const counter = parseBlockField(field)
      const group = bySegment.get(counter.segment)
      if (group === undefined) return
      for (const [w, window] of query.windows.entries()) addCounter(group.windows[w]!, window, counter, count)
    },
    groups: () =>
      [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { values, windows }]) => ({ values, rates: windows.map(rates) })),
    total: () => {
      const all = createGroup([], query)
      for (const { windows } of groups.values())
        for (const [w, window] of windows.entries()) addWindow(all.windows[w]!, window)
      return all.windows.map(rates)
    },
  }
}

function segmentsAsked(
  totals: CounterBook,
  definition: RateDefinition,
  { where, by }: RateQuery,
  firstBlock = Number.NEGATIVE_INFINITY,
): SegmentAsked[] {
  const before = new Map<string, number>()
  for (const [field, count] of totals) {
    const { segment, block } = parseTotal(field)
    before.set(segment, (before.get(segment) ?? 0) + (block < firstBlock ? count : 0))
  }
  const places = by.map(name => definition.segments.findIndex(each => each.name === name))
  return [...before].flatMap(([segment, accountsBefore]) => {
    const values = segmentValues(segment, definition.segments)
    const isAsked = definition.segments.every(({ name }, i) => where.get(name)?.has(values[i]!) ?? true)
    return isAsked ? [{ segment, groupValues: places.map(place => values[place]!), accountsBefore }] : []
  })
}

function blocksRead({ windows }: RateQuery): number[] {
  const asked = windows.filter(({ ends }) => ends.length > 0)
  if (asked.length === 0) return []
  const first = blockOf(Math.min(...asked.map(({ days, ends }) => ends[0]! - days + 1)))
  const last = blockOf(Math.max(...asked.map(({ ends }) => ends.at(-1)!)))
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

interface GroupTally {
  readonly values: readonly string[]
  readonly windows: readonly WindowTally[]
}

/** By end of the window, each against the end before; with one more behind the last, for what no end reaches. */
interface WindowTally {
  readonly accounts: number[]
  readonly exhibiting: number[]
}

function createGroup(values: readonly string[], { windows }: RateQuery): GroupTally {
  const zeros = (length: number): number[] => new Array<number>(length).fill(0)
  return {
    values,
    windows: windows.map(({ ends }) => ({
      accounts: zeros(ends.length + 1),
      exhibiting: zeros(ends.length + 1),
    })),
  }
}

/**
 * An account counts in the windows that end on its first day or later. One in the cell (d, p) exhibits in the window of L days that ends on e,
 * if `e − L < d ≤ e` and `p ≤ e − L`: if `max(d, p + L) ≤ e < d + L`.
 */
function addCounter(
  { accounts, exhibiting }: WindowTally,
  { days, ends }: RateQuery['windows'][number],
  counter: BlockCounter,
  count: number,
): void {
  const { day } = counter
  if (counter.type === 'first-day') {
    accounts[firstFrom(ends, day)]! += count
    return
  }
  const first = counter.previous === undefined ? day : Math.max(day, counter.previous + days)
  exhibiting[firstFrom(ends, first)]! += count
  exhibiting[firstFrom(ends, Math.max(first, day + days))]! -= count
}

function addWindow(sum: WindowTally, more: WindowTally): void {
  more.accounts.forEach((change, i) => {
    sum.accounts[i]! += change
    sum.exhibiting[i]! += more.exhibiting[i]!
  })
}

function rates({ accounts, exhibiting }: WindowTally): Rate[] {
  let all = 0
  let some = 0
  return accounts.slice(0, -1).map((change, i) => {
    all += change
    some += exhibiting[i]!
    return {
      accounts: all,
      exhibiting: some,
      rate: all === 0 ? undefined : roundScore((100 * some) / all, 2),
    }
  })
}
