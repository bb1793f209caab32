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

/** A question for a rate: the windows of days, and the accounts. */
export interface RateQuery {
  /** Window lengths in days, 1 to 400. `ends`: the days on which windows of this length end, ascending. */
  readonly windows: readonly { readonly days: number; readonly ends: readonly number[] }[]
  /** The only values that count, by segment. */
  readonly where: ReadonlyMap<string, ReadonlySet<string>>
  /** The segments to break the answer down by. */
  readonly by: readonly string[]
}

/** The rate of some accounts in some days. */
export interface Rate {
  readonly accounts: number
  readonly exhibiting: number
  /** In percent, to 2 decimals; undefined for no accounts. */
  readonly rate: number | undefined
}

/** The rates of the accounts that share these values of the requested segments. */
export interface RateGroup {
  /** One for each segment, in the order of `by`. */
  readonly values: readonly string[]
  /** One for each window of the query, then for each end. */
  readonly rates: readonly (readonly Rate[])[]
}

/** What to read for a query. The rate's own book is known by then. */
export interface RatePlan {
  readonly query: RateQuery
  readonly segments: readonly SegmentAsked[]
  /**
   * One for each block of days, from the first day of the first window to the last day of the last one. They
   * can be read separately.
   */
  readonly books: readonly string[]
}

/** A segment with accounts that the query asks for. */
interface SegmentAsked {
  readonly segment: string
  /** In the order of the query's `by`. */
  readonly groupValues: readonly string[]
  /** Accounts whose first day is before all the blocks that are read. */
  readonly accountsBefore: number
}

/** `totals`: the book `rateBook(modelId, definition)`. */
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

/** Adds up the counts of a plan's books, in any order and in any parts. */
export interface RateTally {
  add(field: string, count: number): void
  /** Ascending by values. Without `by` there is one group, even if there are no accounts. */
  groups(): RateGroup[]
  /** Over all groups. By window of the query, then by end. */
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
  const indexes = by.map(name => definition.segments.findIndex(each => each.name === name))
  return [...before].flatMap(([segment, accountsBefore]) => {
    const values = segmentValues(segment, definition.segments)
    const isAsked = definition.segments.every(({ name }, i) => where.get(name)?.has(values[i]!) ?? true)
    return isAsked ? [{ segment, groupValues: indexes.map(index => values[index]!), accountsBefore }] : []
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

/**
 * One entry for each end of the window: the difference from the end before. One more entry takes what no
 * window reaches.
 */
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

// An account counts in the windows that end on its first day or later. An account in the cell (d, p) exhibits
// in the window of L days that ends on e if
//   e − L < d ≤ e  and  p ≤ e − L,  which is the same as  max(d, p + L) ≤ e < d + L.
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
