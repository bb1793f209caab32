import { beforeAll, describe, expect, test } from 'vitest'
import { liveSignals } from '../../src/sample/live.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { sampleWorkspace } from '../../src/sample/workspace.ts'
import { HOUR_MS } from '../../src/signals/time.ts'
import { type ScoredSample, scoreSample } from './score-sample.ts'

const REVENUE_SCORE = 'expansion-revenue-score'

/**
 * The first start must look alike at any time: a Wednesday afternoon, and a Sunday night in another season.
 */
describe.each([
  { seed: 7, until: Date.UTC(2026, 10, 18, 14, 20) },
  { seed: 1, until: Date.UTC(2027, 3, 11, 23, 55) },
])('the sample of seed $seed under the Revenue Score', ({ seed, until }) => {
  let sample: ScoredSample
  // Takes some seconds on a quiet machine; this one may be busy.
  beforeAll(() => {
    sample = scoreSample([REVENUE_SCORE])
    sample.fold(sampleHistory({ seed, until }), until)
  }, 120_000)

  test('has accounts in all four tiers, few of them in the highest', () => {
    const tiers = sample.tiers(REVENUE_SCORE)
    const shareOf = (tier: string): number => tiers[tier]! / sample.accounts.size
    expect(sample.accounts.size).toBe(200)
    expect(shareOf('expansion-ready')).toBeGreaterThanOrEqual(0.05)
    expect(shareOf('expansion-ready')).toBeLessThanOrEqual(0.12)
    expect(shareOf('expansion-likely')).toBeGreaterThanOrEqual(0.2)
    expect(shareOf('expansion-likely')).toBeLessThanOrEqual(0.35)
    expect(shareOf('expansion-potential')).toBeGreaterThan(0.3)
    expect(shareOf('not-ready')).toBeGreaterThan(0.05)
    expect(shareOf('not-ready')).toBeLessThan(0.2)
  })

  test('has open PQLs of every motion of the model, and some held ones', () => {
    const pqls = sample.pqls(REVENUE_SCORE)
    const open = pqls.filter(({ status }) => status === 'open')
    expect(open.length).toBeGreaterThanOrEqual(15)
    expect(open.length).toBeLessThanOrEqual(42)
    expect(new Set(open.map(({ motion }) => motion))).toEqual(
      new Set(['seat-expansion', 'plan-upgrade', 'cross-sell']),
    )
    expect(pqls.length - open.length).toBeGreaterThanOrEqual(5)
  })

  test('held a PQL and released it after the account had recovered', () => {
    const workspace = sampleWorkspace({ seed })
    const unhappy = workspace.accounts.filter(({ storyline }) => storyline === 'unhealthy-heavy')
    const statuses = unhappy.map(
      ({ id }) => sample.pqls(REVENUE_SCORE).find(({ accountId }) => accountId === id)?.status,
    )
    expect(statuses.filter(status => status === 'held').length).toBeGreaterThanOrEqual(5)
    expect(statuses.filter(status => status === 'open').length).toBeGreaterThanOrEqual(2)
  })

  test('then shows a tier change or a PQL every 10 to 20 seconds, hour after hour, at a steady level', () => {
    const live = liveSignals({ workspace: sampleWorkspace({ seed }), from: until })
    const kinds = new Set<string>()
    for (let hour = 0; hour < 4; hour++) {
      let visible = 0
      let longestWaitMs = 0
      let lastAt = until + hour * HOUR_MS
      for (let now = lastAt; now < until + (hour + 1) * HOUR_MS; now += 5_000) {
        for (const event of sample.fold(live.nextSignals(now + 5_000), now + 5_000)) {
          // Midnight brings many at once: they do not show the pace of the stream.
          if (event.cause.type === 'window') continue
          visible++
          kinds.add(event.type === 'pql' ? event.status : event.type)
          longestWaitMs = Math.max(longestWaitMs, event.at - lastAt)
          lastAt = event.at
        }
      }
      const intervalSeconds = 3600 / visible
      expect(intervalSeconds).toBeGreaterThan(10)
      expect(intervalSeconds).toBeLessThan(20)
      expect(longestWaitMs).toBeLessThan(4 * 60_000)
    }
    expect(kinds).toEqual(new Set(['tier-change', 'qualified', 'held', 'released', 'disqualified']))

    const tiers = sample.tiers(REVENUE_SCORE)
    expect(tiers['expansion-ready']).toBeGreaterThan(5)
    expect(tiers['expansion-ready']).toBeLessThan(30)
    expect(sample.pqls(REVENUE_SCORE).length).toBeLessThan(130)
  }, 120_000)
})
