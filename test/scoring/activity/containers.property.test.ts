import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash64 } from '../../../src/lib/hash.ts'
import { SlotSet } from '../../../src/lib/slot-set.ts'
import { Buckets } from '../../../src/scoring/activity/buckets.ts'
import { HourTable } from '../../../src/scoring/activity/hour-table.ts'
import { RecentIds } from '../../../src/scoring/activity/recent-ids.ts'
import { createSeries } from '../../../src/scoring/activity/series.ts'
import { SeriesTable } from '../../../src/scoring/activity/series-table.ts'
import { UserChunk } from '../../../src/scoring/activity/user-chunk.ts'
import { UserDayCounts } from '../../../src/scoring/activity/user-days.ts'
import { lastDayOf, packUserDays, type UserDays } from '../../../src/scoring/activity/users.ts'
import { SignalGroups } from '../../../src/signals/signal-groups.ts'
import { recentDays } from '../../support/recent-days.ts'

// Containers that are packed for speed behave as plain maps, sets and lists do.

const DAY = fc.integer({ min: 1, max: 12 })

describe('buckets', () => {
  const STEPS = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ add: DAY, thousandths: fc.constantFrom(1000, 1000, 0, 500, 2 ** 52) }),
      },
      { weight: 1, arbitrary: fc.record({ forgetBefore: DAY }) },
    ),
    { maxLength: 40 },
  )

  test('with quantities equal a map of days', () => {
    fc.assert(
      fc.property(STEPS, DAY, DAY, (steps, one, other) => {
        const buckets = new Buckets()
        const plain = new Map<number, { count: number; sum: number }>()
        for (const step of steps) {
          if ('add' in step) {
            const i = buckets.add(step.add, step.thousandths)
            const { count, sum } = plain.get(step.add) ?? { count: 0, sum: 0 }
            plain.set(step.add, {
              count: count + 1,
              sum: Math.min(sum + step.thousandths, Number.MAX_SAFE_INTEGER),
            })
            expect(buckets.at(i)).toBe(step.add)
          } else {
            buckets.forgetBefore(step.forgetBefore)
            for (const day of plain.keys()) if (day < step.forgetBefore) plain.delete(day)
          }
        }
        const expected = [...plain].sort(([a], [b]) => a - b)
        expect(
          Array.from({ length: buckets.length }, (_, i) => [
            buckets.at(i),
            { count: buckets.count(i), sum: buckets.sum(i) },
          ]),
        ).toEqual(expected)
        const [from, to] = [Math.min(one, other), Math.max(one, other)]
        const within = expected.filter(([day]) => day >= from && day <= to)
        expect(buckets.countBetween(from, to)).toBe(within.reduce((total, [, { count }]) => total + count, 0))
        expect(buckets.sumBetween(from, to)).toBe(
          within.reduce((total, [, { sum }]) => Math.min(total + sum, Number.MAX_SAFE_INTEGER), 0),
        )
        expect(buckets.hasBetween(from, to)).toBe(within.length > 0)
        expect(buckets.has(from)).toBe(plain.has(from))
      }),
    )
  })

  test('equal a map of days while counts are added, taken and moved', () => {
    const step = fc.oneof(
      fc.record({ add: DAY }),
      fc.record({ take: DAY }),
      fc.record({ from: DAY, to: DAY }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const buckets = new Buckets()
        const plain = new Map<number, number>()
        const count = (day: number, delta: number): void => {
          const now = Math.max(0, (plain.get(day) ?? 0) + delta)
          if (now === 0) plain.delete(day)
          else plain.set(day, now)
        }
        for (const each of steps) {
          if ('add' in each) {
            buckets.addOne(each.add)
            count(each.add, 1)
          } else if ('take' in each) {
            buckets.takeOne(each.take)
            count(each.take, -1)
          } else if (each.from !== each.to) {
            buckets.moveOne(each.from, each.to)
            count(each.from, -1)
            count(each.to, 1)
          }
          expect(Array.from({ length: buckets.length }, (_, i) => [buckets.at(i), buckets.count(i)])).toEqual(
            [...plain].sort(([a], [b]) => a - b),
          )
        }
      }),
    )
  })
})

test.each([
  ['a few', 80, ['b', 'a', 'd', 'c', 'B', 'ä', 'aa']],
  // More than the table searches one by one.
  ['many', 120, [...'abcdefghijklmnopqrstuvwxyz', 'B', 'ä', 'aa']],
])(
  'a table of %s series equals a map by ascending key, and drops series without days',
  (_, maxLength, keys) => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ key: fc.constantFrom(...keys), day: DAY }),
      },
      { weight: 1, arbitrary: fc.record({ forgetBefore: DAY }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength, size: 'max' }), steps => {
        const table = new SeriesTable()
        const plain = new Map<string, number[]>()
        for (const each of steps) {
          if ('key' in each) {
            const { key, day } = each
            expect(table.get(key)?.key).toBe(plain.has(key) ? key : undefined)
            if (!plain.has(key)) table.add(createSeries(key))
            table.get(key)!.days.add(day, 1000)
            plain.set(key, [...(plain.get(key) ?? []), day])
          } else {
            table.forgetBefore(each.forgetBefore)
            for (const [key, days] of plain) {
              const kept = days.filter(day => day >= each.forgetBefore)
              if (kept.length === 0) plain.delete(key)
              else plain.set(key, kept)
            }
          }
          expect(table.size).toBe(plain.size)
          expect(
            table.list.map(series => [
              series.key,
              Array.from({ length: series.days.length }, (_, i) => series.days.at(i)),
            ]),
          ).toEqual(
            [...plain]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, days]) => [key, [...new Set(days)].sort((a, b) => a - b)]),
          )
        }
      }),
    )
  },
)

test('grouping by account keeps all records: each group in order, the groups by their first record', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 }), ids => {
      const groups = new SignalGroups(ids.length)
      const plain = new Map<string, number[]>()
      for (const [place, id] of ids.entries()) {
        groups.add(id, place)
        plain.set(id, [...(plain.get(id) ?? []), place])
      }
      const found: number[][] = []
      for (let group = 0; group < groups.size; group++) {
        const places = [groups.firstOf(group)]
        for (let next = groups.nextAfter(places[0]!); next > 0; next = groups.nextAfter(next))
          places.push(next)
        found.push(places)
      }
      expect(found).toEqual([...plain.values()])
    }),
  )
})

test('an hour table equals a map of hours and names', () => {
  const series = ['a', 'b', 'c'].map(createSeries)
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ hour: DAY, name: fc.nat({ max: 2 }), thousandths: fc.nat({ max: 2000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ forgetBefore: DAY }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const table = new HourTable()
      const plain = new Map<string, { hour: number; key: string; count: number; sum: number }>()
      for (const each of steps) {
        if ('hour' in each) {
          const { key } = series[each.name]!
          const place = `${each.hour} ${key}`
          const had = plain.has(place)
          const hadHour = [...plain.values()].some(({ hour }) => hour === each.hour)
          expect(table.add(each.hour, series[each.name]!, each.thousandths)).toBe(
            had ? 'same-name' : hadHour ? 'other-names' : 'nothing',
          )
          const { count, sum } = plain.get(place) ?? { count: 0, sum: 0 }
          plain.set(place, { hour: each.hour, key, count: count + 1, sum: sum + each.thousandths })
        } else {
          table.forgetBefore(each.forgetBefore)
          for (const [place, { hour }] of plain) if (hour < each.forgetBefore) plain.delete(place)
        }
      }
      const found = Array.from({ length: table.length }, (_, i) => ({
        hour: table.hour(i),
        key: table.series(i).key,
        count: table.count(i),
        sum: table.sum(i),
      }))
      expect(found.map(({ hour }) => hour)).toEqual(
        [...plain.values()].map(({ hour }) => hour).sort((a, b) => a - b),
      )
      expect(new Map(found.map(each => [`${each.hour} ${each.key}`, each]))).toEqual(plain)
      for (const one of series) {
        const hours = (table.bySeries().get(one) ?? []).map(i => table.hour(i))
        expect(hours).toEqual(found.filter(({ key }) => key === one.key).map(({ hour }) => hour))
      }
    }),
  )
})

test('recent ids equal a map in insertion order, whether few or many', () => {
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.record({ id: fc.nat({ max: 200 }), later: fc.nat({ max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ forget: fc.nat({ max: 100 }) }) },
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 600, size: 'max' }),
      fc.constantFrom(3, 40, 100),
      (steps, limit) => {
        const ids = new RecentIds(limit)
        const plain = new Map<number, number>()
        let clock = 1_800_000_000_000
        for (const each of steps) {
          if ('id' in each) {
            clock += each.later
            const id = hash64(`id-${each.id}`)
            expect(ids.has(id)).toBe(plain.has(id))
            expect(ids.hasSince(id, clock - 20)).toBe((plain.get(id) ?? 0) > clock - 20)
            expect(ids.isFull).toBe(plain.size === limit)
            if (plain.has(id)) continue
            if (plain.size === limit) plain.delete([...plain.keys()][0]!)
            ids.add(id, clock)
            plain.set(id, clock)
          } else {
            ids.forgetUntil(clock - each.forget)
            for (const [id, at] of plain) if (at <= clock - each.forget) plain.delete(id)
            if (each.forget === 0) ids.clear()
            ids.reserve(each.forget)
          }
          expect(ids.size).toBe(plain.size)
        }
        expect(Array.from({ length: ids.size }, (_, i) => [ids.id(i), ids.appliedAt(i)])).toEqual([...plain])
        for (let i = 0; i <= 200; i++) expect(ids.has(hash64(`id-${i}`))).toBe(plain.has(hash64(`id-${i}`)))
      },
    ),
    { numRuns: 60 },
  )
})

test('a user chunk equals a map by ascending hash', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat()), { maxLength: 200 }), sets => {
      const chunk = new UserChunk()
      const plain = new Map<number, number>()
      for (const [user, days] of sets) {
        expect(chunk.get(hash64(`u-${user}`))).toBe(plain.get(hash64(`u-${user}`)))
        chunk.set(hash64(`u-${user}`), days)
        plain.set(hash64(`u-${user}`), days)
      }
      expect(Array.from({ length: chunk.size }, (_, i) => [chunk.user(i), chunk.days(i)])).toEqual(
        [...plain].sort(([a], [b]) => a - b),
      )
    }),
  )
})

test('user counts by day equal a count over the days of every user that are held', () => {
  const TODAY = 20_000
  const step = fc.record({
    user: fc.nat({ max: 4 }),
    ago: fc.nat({ max: 40 }),
    passed: fc.constantFrom(0, 0, 1, 7, 29),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const counts = new UserDayCounts()
      const known = new Map<number, UserDays>()
      let today = TODAY
      for (const { user, ago, passed } of steps) {
        if (passed > 0) {
          today += passed
          counts.forget(today)
        }
        const before = known.get(user)
        const day = Math.max(today - ago, before === undefined ? 0 : lastDayOf(before))
        const days = before === undefined ? [] : recentDays(before)
        const mask = [...new Set([day, ...days])]
          .filter(each => each > day - 30)
          .reduce((bits, each) => bits + 2 ** (day - each), 0)
        counts.moveUser(before, packUserDays(day, mask), today)
        known.set(user, packUserDays(day, mask))
        const expected = new Map<string, number>()
        for (const each of known.values()) {
          for (const [n, seen] of recentDays(each).entries()) {
            if (seen <= today - (n === 0 ? 400 : 30)) continue
            expected.set(`${n} ${seen}`, (expected.get(`${n} ${seen}`) ?? 0) + 1)
          }
        }
        const found = Array.from({ length: counts.length }, (_, i) => [
          `${counts.n(i)} ${counts.day(i)}`,
          counts.count(i),
        ])
        expect(new Map(found as [string, number][])).toEqual(expected)
        expect(found).toHaveLength(expected.size)
        expect(counts.countBetween(0, today - 6, today)).toBe(
          [...known.values()].filter(each => lastDayOf(each) >= today - 6).length,
        )
      }
    }),
  )
})

test('a set of slots holds each slot once, and none after it was cleared', () => {
  const set = new SlotSet(5)
  for (const slot of [3, 1, 3]) set.add(slot)
  expect([set.size, set.at(0), set.at(1), set.has(3), set.has(2)]).toEqual([2, 3, 1, true, false])
  set.clear()
  expect([set.size, set.has(3), set.has(1)]).toEqual([0, false, false])
})
