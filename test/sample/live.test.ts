import { describe, expect, test } from 'vitest'
import { liveSignals } from '../../src/sample/live.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { sampleWorkspace } from '../../src/sample/workspace.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { DAY_MS, HOUR_MS } from '../../src/signals/time.ts'

const FROM = Date.UTC(2026, 10, 18, 14, 20)
const workspace = sampleWorkspace({ seed: 7 })

function run(from: number, until: number, stepMs: number): Signal[] {
  const live = liveSignals({ workspace, from })
  const signals: Signal[] = []
  for (let now = from; now < until; now += stepMs) signals.push(...live.nextSignals(now + stepMs))
  return signals
}

describe('live signals', () => {
  test('come in ascending order of time, each in its own step', () => {
    const live = liveSignals({ workspace, from: FROM })
    let last = FROM
    for (let now = FROM; now < FROM + HOUR_MS; now += 1000) {
      for (const { occurredAt } of live.nextSignals(now + 1000)) {
        expect(occurredAt).toBeGreaterThanOrEqual(last)
        expect(occurredAt).toBeGreaterThan(now)
        expect(occurredAt).toBeLessThanOrEqual(now + 1000)
        last = occurredAt
      }
    }
  })

  test('are equal whatever the steps', () => {
    const until = FROM + 12 * HOUR_MS
    expect(run(FROM, until, 60_000)).toEqual(run(FROM, until, 4_000))
  })

  test('belong to accounts of the workspace', () => {
    const ids = new Set(workspace.accounts.map(({ id }) => id))
    for (const { accountId } of run(FROM, FROM + HOUR_MS, 60_000)) expect(ids.has(accountId)).toBe(true)
  })

  test('repeat no id of the history or from before a restart', () => {
    const history = sampleHistory({ seed: 7, until: FROM })
    const first = run(FROM, FROM + 6 * HOUR_MS, 60_000)
    const second = run(FROM + HOUR_MS, FROM + 7 * HOUR_MS, 60_000)
    const ids = [...history, ...first, ...second].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('neither go back in time nor repeat a stretch', () => {
    const live = liveSignals({ workspace, from: FROM })
    live.nextSignals(FROM + 60_000)
    expect(live.nextSignals(FROM + 60_000)).toEqual([])
    expect(live.nextSignals(FROM)).toEqual([])
  })

  test('skip a long gap, but end the episodes that had begun', () => {
    const live = liveSignals({ workspace, from: FROM })
    for (let now = FROM; now < FROM + 5 * 60_000; now += 1000) live.nextSignals(now + 1000)
    const wakeUp = FROM + 30 * DAY_MS
    const signals = live.nextSignals(wakeUp)
    expect(signals.length).toBeGreaterThan(5)
    expect(signals.length).toBeLessThan(500)
    for (const { occurredAt } of signals) expect(occurredAt).toBeGreaterThan(wakeUp - 11 * 60_000)
    const ended = signals.filter(({ occurredAt }) => occurredAt === wakeUp - 10 * 60_000 + 1)
    expect(ended.length).toBeGreaterThan(0)
  })

  test('keep an even pace for weeks', () => {
    const weeks = Array.from({ length: 3 }, (_, week) => {
      const from = FROM + week * 7 * DAY_MS
      return [from, from + 7 * DAY_MS] as const
    })
    const signals = run(FROM, weeks.at(-1)![1], 5 * 60_000)
    const counts = weeks.map(
      ([from, until]) => signals.filter(({ occurredAt }) => occurredAt > from && occurredAt <= until).length,
    )
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.1)
    // About six a minute: acts, their ends, and everyday work.
    expect(counts[0]! / (7 * 24 * 60)).toBeGreaterThan(4)
    expect(counts[0]! / (7 * 24 * 60)).toBeLessThan(10)
  })

  test('do not add users and names without end', () => {
    const signals = run(FROM, FROM + 3 * DAY_MS, 60_000)
    const history = sampleHistory({ seed: 7, until: FROM })
    const usersOf = (list: readonly Signal[]): Map<string, Set<string>> => {
      const users = new Map<string, Set<string>>()
      for (const { accountId, userId } of list) {
        if (userId === undefined) continue
        if (!users.has(accountId)) users.set(accountId, new Set())
        users.get(accountId)!.add(userId)
      }
      return users
    }
    const before = usersOf(history)
    for (const [accountId, users] of usersOf([...history, ...signals]))
      expect(users.size - (before.get(accountId)?.size ?? 0)).toBeLessThanOrEqual(3)
    expect(new Set(signals.map(({ name }) => name)).size).toBeLessThan(80)
  })
})
