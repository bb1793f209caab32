import type { Usage } from '../machine/measure.ts'
import { MIB, number, spread, table } from '../report/markdown.ts'
import { middle } from '../report/statistics.ts'
import type { Measurement } from './jobs.ts'
import type { PlannedJob } from './plan.ts'

export interface JobResults {
  readonly title: string
  readonly type: PlannedJob['type']
  readonly measurements: readonly Measurement[]
}

/** The results of all jobs as Markdown. All jobs of a model must show the same number of tier changes. */
export function renderJobs(results: readonly JobResults[], signals: number): string {
  const floor = results.find(({ type }) => type === 'floor')
  const floorRate = floor === undefined ? undefined : middle(ratesOf(floor.measurements, signals)).median
  const rows = results.flatMap(result => rowsOf(result, signals, floorRate))
  return [...table([JOB_COLUMNS, ...rows]), '', ...stateLines(results), ''].join('\n')
}

const JOB_COLUMNS = [
  'job',
  'signals/s',
  'of the floor',
  'CPU s per million',
  "Redis' CPU s per million",
  'peak RSS MiB',
  "Redis' peak MiB",
  'tier changes',
  'store grew by MB',
]

/** One row; for a fold, a second row for the fold alone. */
function rowsOf(result: JobResults, signals: number, floorRate: number | undefined): string[][] {
  const { title, measurements } = result
  const foldsAlone = measurements.map(({ foldAlone }) => foldAlone).filter(usage => usage !== undefined)
  const row = [
    title,
    ...usageCells(measurements, signals, floorRate),
    spread(
      known(measurements, 'redisCpuSeconds').map(seconds => (seconds / signals) * 1e6),
      1,
    ),
    spread(measurements.map(({ peakRssBytes }) => peakRssBytes / MIB)),
    spread(known(measurements, 'redisPeakBytes').map(bytes => bytes / MIB)),
    [...new Set(known(measurements, 'tierChanges'))].map(value => number(value)).join(' or '),
    spread(
      known(measurements, 'storeBytes').map(bytes => bytes / 1e6),
      1,
    ),
  ]
  if (foldsAlone.length === 0) return [row]
  return [row, ['… of it the fold', ...usageCells(foldsAlone, signals, floorRate), '', '', '', '', '']]
}

function usageCells(usages: readonly Usage[], signals: number, floorRate: number | undefined): string[] {
  const rates = ratesOf(usages, signals)
  return [
    spread(rates),
    floorRate === undefined ? '' : `${((100 * middle(rates).median) / floorRate).toFixed(0)} %`,
    spread(
      usages.map(({ cpuSeconds }) => (cpuSeconds / signals) * 1e6),
      1,
    ),
  ]
}

function ratesOf(usages: readonly Usage[], signals: number): number[] {
  return usages.map(({ seconds }) => signals / seconds)
}

function known(
  measurements: readonly Measurement[],
  field: 'redisCpuSeconds' | 'redisPeakBytes' | 'tierChanges' | 'storeBytes',
): number[] {
  return measurements.map(measurement => measurement[field]).filter(value => value !== undefined)
}

function stateLines(results: readonly JobResults[]): string[] {
  const states = results
    .map(({ measurements }) => measurements[0]?.state)
    .filter(state => state !== undefined)
  // Every job of a model leaves the same state.
  const different = [...new Map(states.map(state => [state.model, state])).values()]
  if (different.length === 0) return []
  const header = ['state, bytes', 'accounts', 'core: median', 'p99', 'largest', 'all', 'users', 'a user']
  const rows = different.map(({ model, accounts, core, users, userChunkBytes }) => [
    model,
    ...[accounts, core.median, core.p99, core.max, core.total, users].map(value => number(value)),
    number(userChunkBytes / users, 1),
  ])
  return table([header, ...rows])
}
