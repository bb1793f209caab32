import { beforeAll, describe, expect, test } from 'vitest'
import { liveSignals } from '../../src/sample/live.ts'
import { sampleHistory } from '../../src/sample/past-signals.ts'
import { sampleWorkspace } from '../../src/sample/workspace.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { KPI_DIMENSIONS } from '../../src/scoring/population/read-kpis.ts'
import { splitValues } from '../support/population-answers.ts'
import { figuresOf, rateOf } from './read-sample.ts'
import { type ScoredSample, scoreSample } from './score-sample.ts'

const MODELS = [
  'expansion-intent-signal-rate',
  'expansion-opportunity-score',
  'expansion-opportunity-tracker',
  'expansion-readiness-index',
  'expansion-revenue-score',
] as const
const TRACKER = 'expansion-opportunity-tracker'
/** The seed of `upswell start`. */
const SEED = 1
const MINUTE_MS = 60_000
const UNTIL = Date.UTC(2026, 10, 22, 14, 20)

describe('the sample under all shipped models', () => {
  let sample: ScoredSample
  let events: ScoringEvent[]
  // Takes some seconds on a quiet machine; this one may be busy.
  beforeAll(() => {
    sample = scoreSample(MODELS)
    events = sample.fold(sampleHistory({ seed: SEED, until: UNTIL }), UNTIL)
  }, 120_000)

  test.each(MODELS)('%s has accounts in every tier, and not nearly all in one', model => {
    const counts = Object.values(sample.tiers(model))
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4)
    expect(Math.max(...counts)).toBeLessThanOrEqual(165)
  })

  test('each trigger of the tracker made a PQL, and each alert was sent', () => {
    const { definition } = sample.model(TRACKER)
    const made = new Set(events.flatMap(event => (event.type === 'pql' ? [event.trigger] : [])))
    expect(definition.triggers.map(({ name }) => name).filter(name => !made.has(name))).toEqual([])
    const sent = new Set(events.flatMap(event => (event.type === 'alert' ? [event.alert] : [])))
    expect(definition.alerts.map(({ name }) => name).filter(name => !sent.has(name))).toEqual([])
  })

  test('every rate differs from segment to segment', () => {
    for (const model of MODELS) {
      for (const rate of sample.model(model).definition.rates) {
        for (const { name } of rate.segments) {
          const groups = rateOf(sample, model, rate.name, UNTIL, [name])
          expect(groups.length).toBeGreaterThanOrEqual(3)
          const rates = groups.map(({ rates }) => rates[0]![0]!.rate)
          expect(new Set(rates).size, `${rate.name} by ${name}`).toBeGreaterThan(1)
        }
      }
    }
  })

  test('shows intent in one account of two to five', () => {
    const [all] = rateOf(sample, 'expansion-intent-signal-rate', 'expansion-intent', UNTIL, [])
    const { accounts, rate } = all!.rates[0]![0]!
    expect(accounts).toBe(200)
    expect(rate).toBeGreaterThan(20)
    expect(rate).toBeLessThan(50)
  })

  test.each(['2026-10', '2026-11'])(
    'knows every key figure of %s; some meet their targets, some do not',
    month => {
      const figures = MODELS.flatMap(model => figuresOf(sample, model, month))
      expect(figures.length).toBeGreaterThan(10)
      expect(figures.filter(({ value }) => value === undefined)).toEqual([])
      const met = new Set(figures.map(({ isMet }) => isMet))
      expect(met.has(true)).toBe(true)
      expect(met.has(false)).toBe(true)
    },
  )

  test('splits its key figures by motion, tier and CSM', () => {
    for (const model of ['expansion-revenue-score', TRACKER]) {
      for (const by of KPI_DIMENSIONS) {
        const values = splitValues(
          model,
          sample.model(model).definition.kpis!,
          sample.books(),
          '2026-10',
          {},
          by,
        )
        expect(values.length, `${model} by ${by}`).toBeGreaterThanOrEqual(3)
      }
    }
  })

  test('then continues with a few PQLs and alerts of the tracker', () => {
    const live = liveSignals({ workspace: sampleWorkspace({ seed: SEED }), from: UNTIL })
    const shown = minutesOf(UNTIL, 60)
      .flatMap(now => sample.fold(live.nextSignals(now), now))
      .filter(({ modelId, type }) => modelId === TRACKER && type !== 'tier-change')
    expect(shown.some(({ type }) => type === 'pql')).toBe(true)
    expect(shown.some(({ type }) => type === 'alert')).toBe(true)
    expect(shown.length).toBeLessThan(60)
  })
})

function minutesOf(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + (i + 1) * MINUTE_MS)
}
