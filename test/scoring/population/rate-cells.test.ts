import { describe, expect, test } from 'vitest'
import type { RateDefinition } from '../../../src/scoring/definition/population-definition.ts'
import { CounterChanges } from '../../../src/scoring/population/counters.ts'
import {
  type CompiledRate,
  countShares,
  type RateShare,
  rateBook,
} from '../../../src/scoring/population/rate-cells.ts'
import { createRateTally, planRate } from '../../../src/scoring/population/read-rate.ts'
import { answerRate } from '../../support/population-answers.ts'

const definition: RateDefinition = {
  name: 'intent',
  title: 'Intent',
  select: { kinds: ['intent'], names: undefined, except: [] },
  segments: [{ name: 'stage', key: 'traits.stage', values: ['trial', 'paid'] }],
}
const rate: CompiledRate = { book: rateBook('growth', definition), definition, isSelected: () => true }

const share = (firstDay: number, days: readonly number[], segment = '0'): RateShare => ({
  rate,
  segment,
  firstDay,
  days,
})

/** The counters after each account's shares changed to the next ones, one after the other. */
class Books {
  readonly books = new Map<string, Map<string, number>>()

  become(...states: (readonly RateShare[])[]): void {
    let before: readonly RateShare[] = []
    for (const now of states) {
      const changes = new CounterChanges()
      countShares(before, now, changes)
      for (const { book, field, delta } of changes.list()) {
        const fields = this.books.get(book) ?? new Map<string, number>()
        this.books.set(book, fields)
        const sum = (fields.get(field) ?? 0) + delta
        if (sum === 0) fields.delete(field)
        else fields.set(field, sum)
      }
      before = now
    }
  }

  counters(): number[] {
    return [...this.books.values()].flatMap(fields => [...fields.values()])
  }

  /** [accounts, exhibiting] of each segment, and the segment. */
  rate(from: number, to: number): Record<string, [number, number]> {
    const query = { windows: [{ days: to - from + 1, ends: [to] }], where: new Map(), by: ['stage'] }
    const plan = planRate('growth', definition, query, this.books.get(rate.book) ?? new Map())
    const groups = answerRate(
      plan,
      plan.books.map(book => this.books.get(book) ?? new Map<string, number>()),
    )
    return Object.fromEntries(
      groups.map(({ values, rates }) => [values[0]!, [rates[0]![0]!.accounts, rates[0]![0]!.exhibiting]]),
    )
  }
}

describe('the counters of a rate', () => {
  test('count an account once in every period, at its first selected day in it', () => {
    const books = new Books()
    books.become([share(100, [100, 110, 111, 140])])
    books.become([share(110, [])])
    expect(books.rate(99, 99)).toEqual({ trial: [0, 0] })
    expect(books.rate(100, 200)).toEqual({ trial: [2, 1] })
    expect(books.rate(101, 109)).toEqual({ trial: [1, 0] })
    expect(books.rate(101, 110)).toEqual({ trial: [2, 1] })
    expect(books.rate(111, 139)).toEqual({ trial: [2, 1] })
    expect(books.rate(112, 139)).toEqual({ trial: [2, 0] })
  })

  test('are the same for any order of the days', () => {
    const [one, other] = [new Books(), new Books()]
    one.become([share(100, [100])], [share(100, [100, 140])], [share(100, [100, 120, 140])])
    other.become([share(100, [100, 120, 140])])
    expect(one.books).toEqual(other.books)
  })

  test('give the same answer when the days before the period are forgotten', () => {
    const books = new Books()
    books.become([share(1, [1, 300, 450])], [share(1, [300, 450])])
    expect(books.rate(300, 400)).toEqual({ trial: [1, 1] })
    expect(books.rate(301, 460)).toEqual({ trial: [1, 1] })
  })

  test('follow an account that changes its segment or first day, or leaves', () => {
    const books = new Books()
    books.become([share(100, [100, 120])], [share(100, [100, 120], '1')])
    expect(books.rate(90, 130)).toEqual({ paid: [1, 1] })
    books.become([share(100, [100, 120])], [share(90, [100, 120])])
    expect(books.rate(80, 95)).toEqual({ paid: [0, 0], trial: [1, 0] })
    const gone = new Books()
    gone.become([share(100, [100, 120])], [])
    expect(gone.counters()).toEqual([])
  })

  test('write nothing for an unchanged share', () => {
    const changes = new CounterChanges()
    const days = Array.from({ length: 400 }, (_, i) => i)
    countShares([share(0, days)], [share(0, [...days, 400])], changes)
    expect(changes.list()).toEqual([{ book: `${rate.book}:12`, field: '0:400:399', delta: 1 }])
  })

  test('fill the same number of books for a period, however many segments there are', () => {
    const books = new Books()
    const segments = ['0', '1', 'o', 'u']
    for (const segment of segments) books.become([share(0, [0, 200, 399], segment)])
    const query = { windows: [{ days: 400, ends: [399] }], where: new Map(), by: [] }
    const plan = planRate('growth', definition, query, books.books.get(rate.book)!)
    expect(plan.books).toHaveLength(13)
    expect(books.rate(0, 399)).toEqual({ trial: [1, 1], paid: [1, 1], other: [1, 1], unknown: [1, 1] })
  })

  test('are left out for segments that are not asked for', () => {
    const books = new Books()
    books.become([share(100, [120], '0')])
    books.become([share(100, [121], '1')])
    books.become([share(130, [], '1')])
    const query = {
      windows: [{ days: 30, ends: [125, 130] }],
      where: new Map([['stage', new Set(['paid'])]]),
      by: [],
    }
    const plan = planRate('growth', definition, query, books.books.get(rate.book)!)
    const tally = createRateTally(plan)
    for (const name of plan.books) for (const counter of books.books.get(name) ?? []) tally.add(...counter)
    const rates = [
      { accounts: 1, exhibiting: 1, rate: 100 },
      { accounts: 2, exhibiting: 1, rate: 50 },
    ]
    expect(tally.total()).toEqual([rates])
    expect(tally.groups()).toEqual([{ values: [], rates: [rates] }])
  })
})
