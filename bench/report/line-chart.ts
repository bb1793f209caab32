import { number } from './markdown.ts'
import type { Middle } from './statistics.ts'

export interface LineChart {
  readonly title: string
  /** The labels below the points. The points are at equal distances, since they differ by factors. */
  readonly xs: readonly string[]
  readonly lines: readonly ChartLine[]
}

export interface ChartLine {
  /** Empty: no legend. */
  readonly label: string
  /** One for each of `xs`: a dot at the median, and a bar over the range. */
  readonly values: readonly Middle[]
}

const WIDTH = 720
const HEIGHT = 360
const PLOT = { left: 80, right: 700, top: 50, bottom: 310 } as const
/** Readers who see few colours can distinguish these too. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7']
const TICKS = 5

/** A line chart as SVG. Its scale begins at zero. */
export function lineChart({ title, xs, lines }: LineChart): string {
  const step = tickStep(Math.max(...lines.flatMap(({ values }) => values.map(({ most }) => most))))
  const top = step * TICKS
  const atX = (index: number): number =>
    xs.length === 1
      ? (PLOT.left + PLOT.right) / 2
      : PLOT.left + 30 + (index * (PLOT.right - PLOT.left - 60)) / (xs.length - 1)
  const atY = (value: number): number => PLOT.bottom - (value / top) * (PLOT.bottom - PLOT.top)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 24, 'middle', title, 'font-size="14"'),
    ...Array.from({ length: TICKS + 1 }, (_, i) => {
      const y = atY(i * step)
      return [
        `<line x1="${PLOT.left}" y1="${round(y)}" x2="${PLOT.right}" y2="${round(y)}" stroke="#dddddd"/>`,
        text(PLOT.left - 8, y + 4, 'end', number(i * step, step < 1 ? 2 : 0)),
      ].join('\n')
    }),
    ...xs.map((x, i) => text(atX(i), PLOT.bottom + 20, 'middle', x)),
    ...lines.map((line, i) => drawLine(line, COLORS[i % COLORS.length]!, atX, atY)),
    ...lines.map(({ label }, i) =>
      label === ''
        ? ''
        : text(
            PLOT.left + 10 + i * 160,
            HEIGHT - 12,
            'start',
            `● ${label}`,
            `fill="${COLORS[i % COLORS.length]}"`,
          ),
    ),
    '</svg>',
  ]
  return `${parts.filter(part => part !== '').join('\n')}\n`
}

function drawLine(
  { values }: ChartLine,
  color: string,
  atX: (index: number) => number,
  atY: (value: number) => number,
): string {
  const points = values.map(({ median }, i) => `${round(atX(i))},${round(atY(median))}`)
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...values.map(({ median, least, most }, i) => {
      const x = round(atX(i))
      return [
        `<line x1="${x}" y1="${round(atY(least))}" x2="${x}" y2="${round(atY(most))}" stroke="${color}" stroke-width="4" stroke-opacity="0.35"/>`,
        `<circle cx="${x}" cy="${round(atY(median))}" r="4" fill="${color}"/>`,
      ].join('\n')
    }),
  ].join('\n')
}

/** A round number: 1, 2, 2.5 or 5 times a power of ten. `TICKS` of them reach the largest value. */
function tickStep(largest: number): number {
  if (!(largest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(largest / TICKS))
  return [1, 2, 2.5, 5, 10].map(factor => factor * power).find(step => step * TICKS >= largest)!
}

function text(x: number, y: number, anchor: string, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more === '' ? '' : ` ${more}`}>${escapeText(content)}</text>`
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}
