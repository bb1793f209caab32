import type { Job, Measurement } from './jobs.ts'
import type { Usage } from './measure.ts'

export interface JobResults {
  readonly title: string
  readonly type: Job['type']
  readonly measurements: readonly Measurement[]
}

export interface ReportContext {
  readonly signals: number
  readonly rounds: number
  readonly machine: string
}

/** Everything that was found, as Markdown. All jobs of a model must show one and the same number of tier changes. */
export function renderReport(results: readonly JobResults[], context: ReportContext): string {
  const { signals, rounds, machine } = context
  const floor = results.find(({ type }) => type === 'floor')
  const floorRate = floor === undefined ? undefined : middle(ratesOf(floor.measurements, signals)).median
  const rows = results.flatMap(result => rowsOf(result, signals, floorRate))
  return [
    `${number(signals)} signals, ${number(rounds)} round${rounds === 1 ? '' : 's'}, median (minimum–maximum). ${machine}.`,
    '',
    ...table([JOB_COLUMNS, ...rows]),
    '',
    ...stateLines(results),
    '',
  ].join('\n')
}

const JOB_COLUMNS = [
  'job',
  'signals/s',
  'of the floor',
  'CPU s per million',
  "Redis' CPU s per million",
  'peak RSS MiB',
  'tier changes',
  'store grew by MB',
]

/** A row; of a fold, another for the fold alone. */
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
    spread(measurements.map(({ peakRssBytes }) => peakRssBytes / 2 ** 20)),
    [...new Set(known(measurements, 'tierChanges'))].map(value => number(value)).join(' or '),
    spread(
      known(measurements, 'storeBytes').map(bytes => bytes / 1e6),
      1,
    ),
  ]
  if (foldsAlone.length === 0) return [row]
  return [row, ['… of it the fold', ...usageCells(foldsAlone, signals, floorRate), '', '', '', '']]
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
  field: 'redisCpuSeconds' | 'tierChanges' | 'storeBytes',
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

interface Middle {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function middle(values: readonly number[]): Middle {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const median = Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}

function spread(values: readonly number[], decimals = 0): string {
  if (values.length === 0) return ''
  const { median, least, most } = middle(values)
  const [m, a, b] = [median, least, most].map(value => number(value, decimals))
  return values.length === 1 ? m! : `${m} (${a}–${b})`
}

function number(value: number, decimals = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

/** Markdown, padded so that it reads well in a terminal too. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
  const [header, ...body] = rows
  return [
    line(header!),
    line(widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))),
    ...body.map(line),
  ]
}
