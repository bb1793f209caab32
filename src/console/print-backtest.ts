import type { BacktestReport, PqlAccuracy } from '../analysis/backtest-report.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { counted, formatAmount, grouped } from './format.ts'
import { type Line, type LineLook, renderSections, type Segment, table } from './styled-lines.ts'
import { plainText } from './terminal-text.ts'

export interface BacktestHead {
  readonly model: ModelDefinition
  readonly file: string
  /** A file, or a name of the log. */
  readonly source: string
  readonly horizonDays: number
  /** Names of outcomes that are wins. */
  readonly won: readonly string[]
  /** Lines or records that are not signals. */
  readonly leftOut: number
}

/** How well tiers and PQLs preceded wins. No newline at the end. */
export function formatBacktest(head: BacktestHead, report: BacktestReport, look: LineLook): string {
  const results =
    report.wins.count === 0 ? [] : [tierLines(head, report), triggerLines(head, report), motionLines(report)]
  return renderSections([headLines(head, report), ...results], look)
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
      `${counted(accounts, 'account')}, ${counted(signals, 'signal')}, ${counted(wins.count, 'win')} (${plainText(won.join(', '))})`,
      from === undefined || to === undefined ? '' : `, ${day(from)} to ${day(to)}`,
    ],
  ]
  const asides = [
    [duplicates, 'duplicates'],
    [tooOld, 'too old'],
    [leftOut, 'not signals'],
  ] as const
  const leftOutTexts = asides
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${grouped(number)} ${what}`)
  if (leftOutTexts.length > 0) lines.push([`left out: ${leftOutTexts.join(', ')}`])
  if (wins.count > 0 && months.accountMonths === 0 && pqls.judged === 0)
    lines.push([
      {
        text: `No month and no PQL is ${horizonDays} days older than the end of the log, so none is judged. Use a shorter --horizon or a longer log.`,
        style: 'yellow',
      },
    ])
  if (wins.outOfScope > 0)
    lines.push([`${counted(wins.outOfScope, 'win')} of accounts out of scope, not counted in the recall`])
  return lines
}

function tierLines({ model, horizonDays }: BacktestHead, { tiers, months }: BacktestReport): Line[] {
  const rows = tiers.map((tier, i): Segment[] => [
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
      // The best tier first, as people list them.
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
}: PqlAccuracy): Segment[] {
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
      `: only wins of the same motion count; ${grouped(wins.withMotion)} of ${counted(wins.count, 'win')} name one of these motions`,
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
