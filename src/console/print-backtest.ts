import type { BacktestReport, PqlAccuracy } from '../analysis/backtest-report.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { formatAmount } from './format-value.ts'
import { grouped } from './grouped.ts'
import { renderLine, type Segment } from './render-line.ts'
import { plainText } from './terminal-text.ts'
import { type Cell, table } from './text-table.ts'

export interface BacktestHead {
  readonly model: ModelDefinition
  readonly file: string
  /** Where the signals came from. */
  readonly source: string
  readonly horizonDays: number
  /** Names of wins. */
  readonly won: readonly string[]
  /** Lines or records that are no signals. */
  readonly leftOut: number
}

type Line = readonly Segment[]

/** How well tiers and PQLs preceded wins. No newline at the end. */
export function formatBacktest(
  head: BacktestHead,
  report: BacktestReport,
  { color, width }: { readonly color: boolean; readonly width: number },
): string {
  const results =
    report.wins.count === 0 ? [] : [tierLines(head, report), triggerLines(head, report), motionLines(report)]
  return [headLines(head, report), ...results]
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => renderLine(line, width, color)).join('\n'))
    .join('\n\n')
}

function headLines(
  { model, file, source, horizonDays, won, leftOut }: BacktestHead,
  report: BacktestReport,
): Line[] {
  const { accounts, signals, duplicates, tooOld, from, to, wins, months, pqls } = report
  const lines: Line[] = [
    [
      { text: plainText(model.name), style: 'bold' },
      `: version ${model.version} (${plainText(file)}) on ${plainText(source)}`,
    ],
    [
      `${count(accounts, 'account')}, ${count(signals, 'signal')}, ${count(wins.count, 'win')} (${plainText(won.join(', '))})`,
      from === undefined || to === undefined ? '' : `, ${day(from)} to ${day(to)}`,
    ],
  ]
  const asides = [
    [duplicates, 'duplicates'],
    [tooOld, 'too old'],
    [leftOut, 'no signals'],
  ] as const
  const counted = asides
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${grouped(number)} ${what}`)
  if (counted.length > 0) lines.push([`left out: ${counted.join(', ')}`])
  if (wins.count > 0 && months.accountMonths === 0 && pqls.judged === 0)
    lines.push([
      {
        text: `No month and no PQL is ${horizonDays} days older than the log's end, so none is judged: a shorter --horizon or a longer log is needed.`,
        style: 'yellow',
      },
    ])
  if (wins.outOfScope > 0)
    lines.push([`${count(wins.outOfScope, 'win')} of accounts out of scope, which the recall leaves out`])
  return lines
}

function tierLines({ model, horizonDays }: BacktestHead, { tiers, months }: BacktestReport): Line[] {
  const rows = tiers.map((tier, i): Cell[] => [
    model.tiers[i]!.title,
    grouped(tier.accountMonths),
    grouped(tier.followed),
    percent(tier.share),
    tier.lift === null ? '–' : { text: formatAmount(Number(tier.lift.toFixed(2))), style: 'bold' },
    grouped(tier.wins),
  ])
  const leftOut = [
    ...(months.beyondEnd > 0
      ? [`${grouped(months.beyondEnd)} whose ${horizonDays} days end after the log`]
      : []),
    ...(months.outOfScope > 0 ? [`${grouped(months.outOfScope)} out of scope`] : []),
  ]
  return [
    [
      { text: 'Tiers', style: 'bold' },
      `: as each month began, and whether a win came within ${horizonDays} days`,
    ],
    ...table([
      ['tier', 'account-months', 'followed', 'share', 'lift', 'wins from it'],
      // The best first, as people list tiers.
      ...rows.reverse(),
      ['all', grouped(months.accountMonths), grouped(months.followed), percent(months.share), '', ''],
    ]),
    ...(leftOut.length > 0 ? [[`  left out: ${leftOut.join(', ')}`]] : []),
  ]
}

const SCORE_TITLES = [
  'opened',
  'judged',
  'followed',
  'precision',
  'preceded',
  'recall',
  'lead days ¼',
  '½',
  '¾',
]

function scoreCells({
  opened,
  judged,
  followed,
  precision,
  preceded,
  recall,
  leadDays,
}: PqlAccuracy): Cell[] {
  return [
    grouped(opened),
    grouped(judged),
    grouped(followed),
    { text: percent(precision), style: 'bold' },
    grouped(preceded),
    { text: percent(recall), style: 'bold' },
    ...(leadDays === null
      ? ['–', '–', '–']
      : [leadDays.lowerQuartile, leadDays.median, leadDays.upperQuartile].map(grouped)),
  ]
}

function triggerLines({ horizonDays }: BacktestHead, { pqls, triggers }: BacktestReport): Line[] {
  if (triggers.length === 0) return []
  return [
    [
      { text: 'PQLs', style: 'bold' },
      `: followed by a win within ${horizonDays} days, and wins preceded by one`,
    ],
    ...table([
      ['trigger', ...SCORE_TITLES],
      ...triggers.map(each => [each.trigger, ...scoreCells(each)]),
      ['all', ...scoreCells(pqls)],
    ]),
  ]
}

function motionLines({ motions, wins }: BacktestReport): Line[] {
  if (wins.withMotion === 0) return []
  return [
    [
      { text: 'Motions', style: 'bold' },
      `: only wins of the same motion count; ${grouped(wins.withMotion)} of ${count(wins.count, 'win')} name one of these`,
    ],
    ...table([
      ['motion', 'wins', ...SCORE_TITLES],
      ...motions.map(each => [each.motion, grouped(each.wins), ...scoreCells(each)]),
    ]),
  ]
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)}%`
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

function count(number: number, what: string): string {
  return `${grouped(number)} ${what}${number === 1 ? '' : 's'}`
}
