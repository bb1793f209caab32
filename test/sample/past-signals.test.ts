import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { STORYLINE_NAMES } from '../../src/sample/sample-account.ts'
import { sampleWorkspace } from '../../src/sample/workspace.ts'
import { checkSignal } from '../../src/signals/parse-signal.ts'
import { DAY_MS, HOUR_MS } from '../../src/signals/time.ts'

/** A Wednesday. */
const UNTIL = Date.UTC(2026, 10, 18, 14, 20)
const history = sampleHistory({ seed: 7, until: UNTIL })

describe('the workspace', () => {
  const { accounts } = sampleWorkspace({ seed: 7 })

  test('has 200 accounts with unique names and ids', () => {
    expect(accounts).toHaveLength(200)
    expect(new Set(accounts.map(({ id }) => id)).size).toBe(200)
    expect(new Set(accounts.map(({ name }) => name)).size).toBe(200)
    for (const { id } of accounts) expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/)
  })

  test('contains every storyline', () => {
    expect(new Set(accounts.map(({ storyline }) => storyline))).toEqual(new Set(STORYLINE_NAMES))
  })

  test('can have any number of accounts', () => {
    for (const count of [0, 1, 10, 1500]) {
      const { accounts } = sampleWorkspace({ seed: 7, accounts: count })
      expect(new Set(accounts.map(({ id }) => id)).size).toBe(count)
    }
  })
})

describe('the history', () => {
  test('is equal for the same seed, and differs for another one', () => {
    expect(sampleHistory({ seed: 7, until: UNTIL })).toEqual(history)
    expect(sampleHistory({ seed: 8, until: UNTIL })).not.toEqual(history)
  })

  test('holds 40,000 to 80,000 signals in ascending order of time, within its 90 days', () => {
    expect(history.length).toBeGreaterThan(40_000)
    expect(history.length).toBeLessThan(80_000)
    const times = history.map(({ occurredAt }) => occurredAt)
    expect(times.every((time, i) => i === 0 || time >= times[i - 1]!)).toBe(true)
    expect(history[0]!.occurredAt).toBeGreaterThanOrEqual(UNTIL - 90 * DAY_MS)
    expect(history.at(-1)!.occurredAt).toBeLessThan(UNTIL)
    expect(history.at(-1)!.occurredAt).toBeGreaterThan(UNTIL - HOUR_MS)
  })

  test('gives each signal its own id', () => {
    expect(new Set(history.map(({ id }) => id)).size).toBe(history.length)
    for (const { id } of history.slice(0, 100)) expect(id).toMatch(/^s-/)
  })

  test('consists of canonical signals', () => {
    const different = history.filter(signal => {
      const { quantityThousandths, occurredAt, ...rest } = signal
      const canonical = {
        ...rest,
        quantity: quantityThousandths / 1000,
        occurredAt: new Date(occurredAt).toISOString(),
      }
      const parsed = checkSignal(canonical, { observedAt: UNTIL, defaultKind: undefined, place: 'edge' })
      return !isDeepStrictEqual(parsed, { signal })
    })
    expect(different).toEqual([])
  })

  test('begins each account with its facts', () => {
    const known = new Set<string>()
    const seats = new Set<string>()
    const unknown = history.filter(({ accountId, kind }) => {
      if (kind === 'traits') known.add(accountId)
      if (kind === 'contract') seats.add(accountId)
      return kind === 'usage' && !(known.has(accountId) && seats.has(accountId))
    })
    expect(unknown).toEqual([])
  })

  test('is busier on weekdays and in office hours', () => {
    const byWeekday = Array.from({ length: 7 }, () => 0)
    const byHour = Array.from({ length: 24 }, () => 0)
    const offsets = new Map(
      sampleWorkspace({ seed: 7 }).accounts.map(({ id, utcOffsetHours }) => [id, utcOffsetHours]),
    )
    for (const { name, accountId, occurredAt } of history) {
      if (!name.startsWith('feature.')) continue
      const local = new Date(occurredAt + offsets.get(accountId)! * HOUR_MS)
      byWeekday[local.getUTCDay()]!++
      byHour[local.getUTCHours()]!++
    }
    const weekdays = byWeekday.slice(1, 6)
    expect(Math.min(...weekdays)).toBeGreaterThan(5 * Math.max(byWeekday[0]!, byWeekday[6]!))
    byHour.forEach((count, hour) => {
      if (hour < 8 || hour >= 18) expect(count).toBe(0)
      else expect(count).toBeGreaterThan(0)
    })
  })

  test('is generated in less than a second', () => {
    const before = process.cpuUsage()
    sampleHistory({ seed: 9, until: UNTIL })
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1)
  })

  test('can be short and small', () => {
    const small = sampleHistory({ seed: 7, accounts: 3, days: 2, until: UNTIL })
    expect(new Set(small.map(({ accountId }) => accountId)).size).toBe(3)
    for (const { occurredAt } of small) expect(occurredAt).toBeGreaterThanOrEqual(UNTIL - 2 * DAY_MS)
  })
})
