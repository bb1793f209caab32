import { expect, test } from 'vitest'
import type { StepReport } from '../../../src/consumers/scorer/step-report.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

async function scored(...records: Parameters<typeof signalAt>[1][]): Promise<StepReport[]> {
  const reports: StepReport[] = []
  const { take } = onePartition()
  const scorer = await take({ onScored: report => reports.push(report) })
  await scorer.score([modelsAt(0)])
  await scorer.score(records.map((each, i) => signalAt(i + 1, each)))
  return reports
}

test('a step reports the limits that accounts reached', async () => {
  const crowd = Array.from({ length: 300 }, (_, i) => signal(`page-${i}`, 'acme'))
  const late = { ...signal('old', 'other'), occurredAt: 0 }
  const [, report] = await scored(...crowd, late)
  expect(report!.limits).toEqual([
    { name: 'names', count: 300 - 256, accountId: 'acme' },
    { name: 'too-old', count: 1, accountId: 'other' },
  ])
})

test('a step reports the new names of accounts that no model reads, once for each account', async () => {
  const traits = { kind: 'traits', properties: { paln: 'pro' } } as const
  const [, report] = await scored(
    signal('report.exported', 'acme'),
    { ...signal('t1', 'acme'), ...traits },
    { ...signal('t2', 'acme'), ...traits },
    { ...signal('t3', 'other'), ...traits },
    { ...signal('won', 'acme'), kind: 'outcome' },
    { ...signal('lift', 'acme'), kind: 'override', name: 'rolling-scoer', properties: OVERRIDE },
  )
  expect(report!.unread.names).toEqual([
    { name: 'traits.paln', count: 2, accountId: 'acme' },
    { name: 'outcome:won', count: 1, accountId: 'acme' },
    { name: 'override:rolling-scoer', count: 1, accountId: 'acme' },
  ])
  expect(report!.unread.nearest('override:rolling-scoer')).toBe('override:rolling-score')
})

const OVERRIDE = {
  reason: 'a call',
  author: 'kim',
  hold: true,
  expiresAt: '2026-02-01T00:00:00Z',
}
