import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/app/metrics.ts'
import { CountedBatches } from '../../src/app/scored-counts.ts'
import type { StepReport } from '../../src/consumers/scorer/step-report.ts'
import type { PqlEvent, TierChange } from '../../src/scoring/events.ts'

const number = fc.nat({ max: 3 })
const event = fc
  .record({ modelId: fc.constantFrom('a', 'b', '__proto__'), status: fc.constantFrom('', 'held', 'expired') })
  .map(({ modelId, status }) =>
    status === ''
      ? ({ type: 'tier-change', modelId } as TierChange)
      : ({ type: 'pql', modelId, status } as PqlEvent),
  )
const occurrences = (...names: string[]) =>
  fc.array(fc.record({ name: fc.constantFrom(...names), count: number, accountId: fc.constant('acme') }), {
    maxLength: 3,
  })
const batch: fc.Arbitrary<StepReport> = fc.record({
  records: number,
  outcomes: fc.record({ applied: number, late: number, duplicate: number, 'too-old': number }),
  topic: fc.constantFrom('signals', 'v2.signals'),
  rejected: number,
  reasons: fc.array(fc.constantFrom('not-json' as const, 'too-large' as const), { maxLength: 3 }),
  events: fc.array(event, { maxLength: 4 }),
  limits: occurrences('names', 'keys'),
  unread: occurrences('usage:x').map(names => ({ names, nearest: () => undefined })),
  refolded: fc.boolean(),
})

/** The series that Prometheus reads, without those at 0. */
async function exposed(
  onScored: (say: ReturnType<typeof createMetrics>['onScored']) => void,
): Promise<string[]> {
  const { registry, onScored: say } = createMetrics(
    () => 0,
    async () => [],
    { isInDoubt: () => false, aheadMs: () => 0 },
    () => new Map(),
  )
  onScored(say)
  const lines = (await registry.metrics()).split('\n')
  return lines
    .filter(
      line =>
        /^upswell_(signals|refolded_records|events|limit_reached|unread_names|dead_letters)_total/.test(
          line,
        ) && !line.endsWith(' 0'),
    )
    .sort()
}

/** Counts batch by batch, one event after the other. */
function slowlyCounted(batches: readonly StepReport[]): string[] {
  const series = new Map<string, number>()
  const add = (name: string, by: number) => series.set(name, (series.get(name) ?? 0) + by)
  for (const { topic, refolded, records, outcomes, rejected, reasons, events, limits, unread } of batches) {
    if (refolded) {
      add('upswell_refolded_records_total', records)
      continue
    }
    for (const [outcome, count] of Object.entries({ ...outcomes, rejected }))
      add(`upswell_signals_total{outcome="${outcome}"}`, count)
    for (const reason of reasons) add(`upswell_dead_letters_total{topic="${topic}",reason="${reason}"}`, 1)
    for (const { name, count } of limits) add(`upswell_limit_reached_total{limit="${name}"}`, count)
    for (const { count } of unread.names) add('upswell_unread_names_total', count)
    for (const found of events)
      add(
        `upswell_events_total{type="${found.type === 'pql' ? `pql-${found.status}` : found.type}",model="${found.modelId}"}`,
        1,
      )
  }
  return [...series]
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .sort()
}

test('metrics are equal however many batches are taken together', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(batch, fc.boolean()), { maxLength: 12 }), async steps => {
      const found = await exposed(say => {
        const counted = new CountedBatches()
        const report = () => {
          const counts = counted.take()
          // A message between threads arrives as a clone.
          if (counts !== undefined) say(structuredClone(counts))
        }
        for (const [scored, isReported] of steps) {
          counted.add(scored)
          if (isReported) report()
        }
        report()
      })
      expect(found).toEqual(slowlyCounted(steps.map(([report]) => report)))
    }),
  )
})

test('take returns each count once, and undefined if there is none', () => {
  const counted = new CountedBatches()
  expect(counted.take()).toBeUndefined()
  const report: StepReport = {
    records: 3,
    outcomes: { applied: 2, late: 0, duplicate: 1, 'too-old': 0 },
    topic: 'signals',
    rejected: 0,
    reasons: [],
    events: [],
    limits: [],
    unread: { names: [], nearest: () => undefined },
    refolded: false,
  }
  counted.add(report)
  counted.add({ ...report, refolded: true })
  const none = { signals: {}, refolded: 0, events: [], deadLetters: [], limits: {}, unread: 0 }
  expect(counted.take()).toEqual({ ...none, signals: { applied: 2, duplicate: 1 }, refolded: 3 })
  expect(counted.take()).toBeUndefined()
  // A change of models alone can reach a limit.
  const limits = [{ name: 'ended-models', count: 2, accountId: 'acme' }]
  counted.add({ ...report, outcomes: { ...report.outcomes, applied: 0, duplicate: 0 }, limits })
  expect(counted.take()).toEqual({ ...none, limits: { 'ended-models': 2 } })
  expect(counted.take()).toBeUndefined()
})
