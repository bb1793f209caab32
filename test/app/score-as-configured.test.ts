import { afterEach, expect, test, vi } from 'vitest'
import { readConfig } from '../../src/app/config.ts'
import { type ConfiguredScoring, scoreAsConfigured } from '../../src/app/score-as-configured.ts'
import { scoreLineages } from '../../src/consumers/lineage/score-lineages.ts'
import type { StepReport } from '../../src/consumers/scorer/step-report.ts'

vi.mock(import('../../src/consumers/lineage/score-lineages.ts'), () => ({ scoreLineages: vi.fn() }))

afterEach(() => {
  vi.useRealTimers()
})

test('each report reaches the caller, and the line of a limit the logger', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const lines: string[] = []
  const logger = { info: () => {}, warn: (line: string) => lines.push(line), error: () => {} }
  const reports: StepReport[] = []
  await scoreAsConfigured({
    config: readConfig({}),
    models: [],
    memory: { accounts: { shortages: 0 } },
    clock: { now: Date.now },
    logger,
    onScored: (report: StepReport) => reports.push(report),
  } as unknown as ConfiguredScoring)
  const { onScored } = vi.mocked(scoreLineages).mock.calls[0]![0]
  const report: StepReport = {
    records: 1,
    outcomes: { applied: 1, late: 0, duplicate: 0, 'too-old': 0 },
    topic: 'signals',
    rejected: 0,
    reasons: [],
    events: [],
    limits: [{ name: 'names', count: 4, accountId: 'acme' }],
    unread: { names: [], nearest: () => undefined },
    refolded: false,
  }
  onScored(report)
  vi.advanceTimersByTime(60_000)
  onScored({ ...report, limits: [] })
  expect(lines).toEqual([expect.stringMatching(/^limit names: reached 4 times/)])
  expect(reports).toHaveLength(2)
})
