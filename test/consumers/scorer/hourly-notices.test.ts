import { expect, test } from 'vitest'
import { HourlyNotices } from '../../../src/consumers/scorer/hourly-notices.ts'
import type { StepReport } from '../../../src/consumers/scorer/step-report.ts'
import { LIMIT_NAMES } from '../../../src/scoring/activity/activity.ts'
import { LIMIT_MEANINGS } from '../../../src/scoring/activity/limit-meanings.ts'
import type { Occurrence } from '../../../src/scoring/occurrences.ts'

const MINUTE = 60_000
const some = (name: string, count: number, accountId = 'acme'): Occurrence => ({ name, count, accountId })

function report(limits: Occurrence[], unread: Occurrence[] = [], refolded = false): StepReport {
  return {
    records: 1,
    outcomes: { applied: 1, late: 0, duplicate: 0, 'too-old': 0 },
    topic: 'signals',
    rejected: 0,
    reasons: [],
    events: [],
    limits,
    unread: { names: unread, nearest: name => (name === 'usage:srch' ? 'usage:search' : undefined) },
    refolded,
  }
}

function noticing() {
  const lines: string[] = []
  let now = 0
  const logger = {
    info: (text: string) => lines.push(`info ${text}`),
    warn: (text: string) => lines.push(`warn ${text}`),
    error: (text: string) => lines.push(`error ${text}`),
  }
  const notices = new HourlyNotices(logger, () => now)
  /** The lines that a report after some minutes of the clock brings. */
  const at = (minutes: number, ...of: Parameters<typeof report>): string[] => {
    now = minutes * MINUTE
    lines.length = 0
    notices.add(report(...of))
    return [...lines]
  }
  return at
}

test('each limit has one line an hour, with the number and one account', () => {
  const at = noticing()
  expect(at(0, [some('keys', 3), some('names', 1, 'first')])).toEqual([])
  expect(at(0.5, [some('names', 5, 'second')])).toEqual([])
  expect(at(1, [])).toEqual([
    `warn limit names: reached 6 times since the last such line, for example by account "first" (${LIMIT_MEANINGS.names}; docs/limits.md)`,
    `warn limit keys: reached 3 times since the last such line, for example by account "acme" (${LIMIT_MEANINGS.keys}; docs/limits.md)`,
  ])
  expect(at(2, [some('keys', 1)])).toEqual([])
  expect(at(60, [some('keys', 1)])).toEqual([])
  expect(at(61, [])).toEqual([expect.stringMatching(/^warn limit keys: reached 2 times/)])
  // After a quiet time the next line waits a minute again.
  expect(at(300, [some('keys', 7)])).toEqual([])
  expect(at(301, [])).toEqual([expect.stringMatching(/^warn limit keys: reached 7 times/)])
})

test('names that no model reads have one line an hour, the most frequent first, with the nearest name', () => {
  const at = noticing()
  at(0, [], [some('usage:srch', 2), some('traits.x', 1)])
  expect(at(1, [], [some('traits.x', 9)])).toEqual([
    'info new names that no model reads: "traits.x" (10 accounts), "usage:srch" (2 accounts; did you mean usage:search?)',
  ])
  expect(at(2, [], [some('traits.y', 1)])).toEqual([])
  const many = Array.from({ length: 25 }, (_, i) => some(`usage:${i}`, 2))
  const [line] = at(61, [], many)
  expect(line).toContain('"usage:0" (2 accounts)')
  expect(line?.match(/accounts?\)/g)).toHaveLength(20)
  expect(line).toMatch(/, and 6 others$/)
  const crowd = Array.from({ length: 3_000 }, (_, i) => some(`usage:${i}`, 1))
  at(200, [], crowd)
  expect(at(201, [], crowd)[0]).toMatch(/, and 980 or more others$/)
})

test('nothing is written for refolded records, or if nothing happened', () => {
  const at = noticing()
  at(0, [some('keys', 3)], [some('traits.x', 1)], true)
  at(0, [])
  expect(at(100, [])).toEqual([])
})

test('every limit has a meaning', () => {
  expect(Object.keys(LIMIT_MEANINGS).sort()).toEqual([...LIMIT_NAMES].sort())
})
