import { lineChart } from '../report/line-chart.ts'
import { MIB, number, spread, table } from '../report/markdown.ts'
import { middle } from '../report/statistics.ts'
import type { MeasuredCurve, MeasuredPoint, PointRun } from './curve-runs.ts'

/** The figures of a curve as a Markdown table. */
export function renderCurve({ curve, lines }: MeasuredCurve): string {
  const several = lines.length > 1
  const header = [
    curve.axis,
    ...(several ? ['spread'] : []),
    'signals/s',
    'CPU s per million',
    "Redis' CPU s per million",
    'peak RSS MiB',
    "Redis' peak MiB",
    'accounts',
    'store bytes an account',
  ]
  const rows = lines.flatMap(({ label, points }) =>
    points.map(({ x, runs }) => {
      const cell = (of: (run: PointRun) => number, decimals = 0): string => spread(runs.map(of), decimals)
      return [
        number(x),
        ...(several ? [label] : []),
        cell(({ signalsPerSecond }) => signalsPerSecond),
        cell(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion, 1),
        cell(({ redisCpuSecondsPerMillion }) => redisCpuSecondsPerMillion, 1),
        cell(({ peakRssBytes }) => peakRssBytes / MIB),
        cell(({ redisPeakBytes }) => redisPeakBytes / MIB),
        number(runs[0]!.accounts),
        number(middle(runs.map(({ storeBytes, accounts }) => storeBytes / accounts)).median),
      ]
    }),
  )
  return table([header, ...rows]).join('\n')
}

/** The curve as an SVG picture. */
export function drawCurve({ curve, lines }: MeasuredCurve): string {
  const value = ({ signalsPerSecond, peakRssBytes, redisPeakBytes }: PointRun): number =>
    curve.drawn === 'signals/s' ? signalsPerSecond : (peakRssBytes + redisPeakBytes) / MIB
  const title = curve.drawn === 'signals/s' ? 'signals/s' : 'peak memory with Redis, MiB'
  return lineChart({
    title: `${title} over ${curve.axis}`,
    xs: lines[0]!.points.map(({ x }) => number(x)),
    lines: lines.map(({ label, points }) => ({
      label: lines.length > 1 ? label : '',
      values: points.map(({ runs }: MeasuredPoint) => middle(runs.map(value))),
    })),
  })
}
