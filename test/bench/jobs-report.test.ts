import { expect, it } from 'vitest'
import type { Measurement } from '../../bench/jobs/jobs.ts'
import { renderJobs } from '../../bench/jobs/jobs-report.ts'

const measured = (seconds: number, more: Partial<Measurement> = {}): Measurement => ({
  seconds,
  cpuSeconds: 2 * seconds,
  peakRssBytes: 100 * 2 ** 20,
  ...more,
})

it('the report shows medians with their range, and their share of the floor', () => {
  const state = {
    model: 'rolling-score' as const,
    accounts: 2,
    core: { median: 10, p99: 20, max: 20, total: 30 },
    users: 4,
    userChunkBytes: 42,
  }
  const report = renderJobs(
    [
      {
        type: 'fold',
        title: 'fold',
        measurements: [4, 2, 3].map(s =>
          measured(s, { tierChanges: 7, state, foldAlone: { seconds: s / 2, cpuSeconds: s } }),
        ),
      },
      {
        type: 'score',
        title: 'Kafka',
        measurements: [
          measured(10, { tierChanges: 7, redisCpuSeconds: 1, redisPeakBytes: 2 ** 24, storeBytes: 2e6 }),
        ],
      },
      { type: 'floor', title: 'floor', measurements: [measured(1)] },
    ],
    6000,
  )
  expect(`\n${report}`).toMatchInlineSnapshot(`
    "
    | job              |           signals/s | of the floor |       CPU s per million | Redis' CPU s per million |  peak RSS MiB | Redis' peak MiB | tier changes | store grew by MB |
    | ---------------- | ------------------: | -----------: | ----------------------: | -----------------------: | ------------: | --------------: | -----------: | ---------------: |
    | fold             | 2,000 (1,500–3,000) |         33 % | 1,000.0 (666.7–1,333.3) |                          | 100 (100–100) |                 |            7 |                  |
    | … of it the fold | 4,000 (3,000–6,000) |         67 % |     500.0 (333.3–666.7) |                          |               |                 |              |                  |
    | Kafka            |                 600 |         10 % |                 3,333.3 |                    166.7 |           100 |              16 |            7 |              2.0 |
    | floor            |               6,000 |        100 % |                   333.3 |                          |           100 |                 |              |                  |

    | state, bytes  | accounts | core: median | p99 | largest | all | users | a user |
    | ------------- | -------: | -----------: | --: | ------: | --: | ----: | -----: |
    | rolling-score |        2 |           10 |  20 |      20 |  30 |     4 |   10.5 |
    "
  `)
})
