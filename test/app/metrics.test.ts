import { expect, test } from 'vitest'
import { createMetrics } from '../../src/app/metrics.ts'
import { LIMIT_NAMES } from '../../src/scoring/activity/activity.ts'

async function series(name: string, problems: readonly string[]): Promise<string[]> {
  const { registry } = createMetrics(
    () => 3,
    async () => problems,
    { isInDoubt: () => true, aheadMs: () => 90_000 },
    () => new Map([['score', 1_500]]),
  )
  return (await registry.metrics()).split('\n').filter(line => line.startsWith(name))
}

test('counts problems by part', async () => {
  const found = [
    'score: signals partition 0 is not taken yet',
    'score: the models: none',
    'store: it is away',
  ]
  expect(await series('upswell_problems', found)).toEqual([
    'upswell_problems{part="ingest"} 0',
    'upswell_problems{part="score"} 2',
    'upswell_problems{part="store"} 1',
    'upswell_problems{part="log"} 0',
    'upswell_problems{part="filling"} 0',
    'upswell_problems{part="api"} 0',
    'upswell_problems{part="clock"} 0',
  ])
})

test('says whether the clock is in doubt, and how far it is ahead', async () => {
  expect(await series('upswell_clock_', [])).toEqual([
    'upswell_clock_in_doubt 1',
    'upswell_clock_ahead_seconds 90',
  ])
})

test('says how long each role of the process has waited for its group', async () => {
  expect(await series('upswell_group_waiting_seconds', [])).toEqual([
    'upswell_group_waiting_seconds{role="score"} 1.5',
  ])
})

test('stops counting a problem that is over', async () => {
  let problems = ['store: it is away']
  const { registry } = createMetrics(
    () => 0,
    async () => problems,
    { isInDoubt: () => true, aheadMs: () => 90_000 },
    () => new Map([['score', 1_500]]),
  )
  expect(await registry.metrics()).toContain('upswell_problems{part="store"} 1')
  problems = []
  expect(await registry.metrics()).toContain('upswell_problems{part="store"} 0')
})

test('has a series for every outcome before the first signal, so that the first one is an increase', async () => {
  expect(await series('upswell_signals_total{', [])).toEqual(
    ['applied', 'late', 'duplicate', 'too-old', 'rejected'].map(
      outcome => `upswell_signals_total{outcome="${outcome}"} 0`,
    ),
  )
})

test('has a series for every limit before the first one is reached', async () => {
  expect(await series('upswell_limit_reached_total{', [])).toEqual(
    LIMIT_NAMES.map(limit => `upswell_limit_reached_total{limit="${limit}"} 0`),
  )
  expect(await series('upswell_unread_names_total', [])).toEqual(['upswell_unread_names_total 0'])
})
