import type { PeriodUnit } from '../analysis/periods.ts'
import {
  isModelDifferent,
  type ModelRunDiff,
  type PqlCounts,
  type PublishedCounts,
  type RunDiff,
} from '../analysis/run-diff.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { formatShift } from './format-span.ts'
import { grouped } from './grouped.ts'
import { titleOfTier } from './print-account-diff.ts'
import { runDiffLists } from './print-run-diff-lists.ts'
import { renderLine, type Segment } from './render-line.ts'
import { plainText } from './terminal-text.ts'
import { type Cell, table } from './text-table.ts'

export interface RunDiffHead {
  /** The replay's name. */
  readonly replay: string
  /** What was compared ends before the replay's own end, or it has none: as far as both have come. */
  readonly isCut: boolean
  /** There are signals from before that end that the replay has not scored yet. */
  readonly isBehind: boolean
  /** Those that the replay brought with it, for titles. */
  readonly models: readonly ModelDefinition[]
}

export interface RunDiffLook {
  readonly color: boolean
  readonly width: number
  /** Rows of each list. */
  readonly limit: number
}

type Line = readonly Segment[]

/** What a replay did differently from what is live: by model, the sums first. No newline at the end. */
export function formatRunDiff(
  head: RunDiffHead,
  diff: RunDiff,
  { color, width, limit }: RunDiffLook,
): string {
  const sections: readonly (readonly Line[])[] = [
    headLines(head, diff),
    ...diff.models.flatMap(model => modelSections(model, head.models, limit)),
    oneSidedLines('Only live', diff.oneSided.live),
    oneSidedLines('Only in the replay', diff.oneSided.replay),
  ]
  return sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.map(line => renderLine(line, width, color)).join('\n'))
    .join('\n\n')
}

function headLines({ replay, isCut, isBehind }: RunDiffHead, { window, models, oneSided }: RunDiff): Line[] {
  const { from, to } = window
  const until = to === null ? 'now' : isoTime(to)
  const lines: Line[] = [
    [
      { text: `Replay ${plainText(replay)}`, style: 'bold' },
      ` against what is live: ${from === null ? 'from the beginning' : isoTime(from)} to ${until}`,
      isCut && to !== null ? ', which is how far both have come' : '',
    ],
  ]
  if (from !== null)
    lines.push([
      'The replay began with nothing known: what rests on earlier signals differs for that reason alone.',
    ])
  if (isBehind)
    lines.push([
      {
        text: 'The replay has not come that far in all of its log yet: what it has not read is missing here.',
        style: 'yellow',
      },
    ])
  if (models.length === 0 && oneSided.live.length === 0 && oneSided.replay.length === 0)
    lines.push(['Neither has published a tier change or a PQL in this time.'])
  return lines
}

function modelSections(
  model: ModelRunDiff,
  definitions: readonly ModelDefinition[],
  limit: number,
): (readonly Line[])[] {
  // Tiers of the same name can have other titles in another model.
  const own = definitions.filter(({ id }) => id === model.modelId)
  const titleOf = (tier: string): string => titleOfTier(tier, own)
  if (!isModelDifferent(model)) return [[...titleLines(model, own), alikeLine(model)]]
  return [
    [...titleLines(model, own), ...tierLines(model, titleOf)],
    periodLines(model),
    pqlLines(model),
    ...runDiffLists(model, titleOf, limit),
  ]
}

function titleLines({ modelId, versions }: ModelRunDiff, [definition]: readonly ModelDefinition[]): Line[] {
  const list = (numbers: readonly number[]): string =>
    numbers.length === 0 ? 'nothing published' : versionsText(numbers)
  return [
    [
      { text: plainText(definition?.name ?? '') || plainText(modelId), style: 'bold' },
      `: live ${list(versions.live)}; replay ${list(versions.replay)}`,
    ],
  ]
}

function alikeLine({ tiers, pqls }: ModelRunDiff): Line {
  return [`No difference: ${count(tiers.accounts, 'account')} that changed tier, ${count(pqls.both, 'PQL')}`]
}

function tierLines({ tiers }: ModelRunDiff, titleOf: (tier: string) => string): Line[] {
  const { accounts, moved, apart, cells } = tiers
  if (accounts === 0)
    return [[{ text: 'Tiers', style: 'bold' }, ': no account has changed its tier in either']]
  const also = apart > moved ? `, ${grouped(apart)} did at some time` : ''
  const heading: Line = [
    { text: 'Tiers', style: 'bold' },
    `: ${grouped(moved)} of ${count(accounts, 'account')} ${moved === 1 ? 'stands' : 'stand'} in another tier at the end${also}`,
  ]
  // The best first, as people list tiers.
  const ordered = (side: 'live' | 'replay'): string[] =>
    [...tiers.names].reverse().filter(name => cells.some(cell => cell[side] === name))
  const [rows, columns] = [ordered('live'), ordered('replay')]
  const matrix: Cell[][] = [
    ['live ↓  replay →', ...columns.map(titleOf)],
    ...rows.map(row => [
      titleOf(row),
      ...columns.map((column): Cell => {
        const number = cells.find(cell => cell.live === row && cell.replay === column)?.accounts ?? 0
        const text = number === 0 ? '·' : grouped(number)
        return row === column || number === 0 ? { text, style: 'dim' } : { text, style: 'bold' }
      }),
    ]),
  ]
  return [heading, ...table(matrix)]
}

const UNIT_TITLES: Readonly<Record<PeriodUnit, string>> = {
  day: 'day',
  week: 'week from',
  month: 'month',
  quarter: 'quarter',
  year: 'year',
}

function periodLines({ periods }: ModelRunDiff): Line[] {
  const { unit, rows } = periods
  if (rows.length === 0) return []
  return [
    [{ text: 'Over time', style: 'bold' }, ': accounts in another tier as each ended, PQLs that began in it'],
    ...table([
      [UNIT_TITLES[unit], 'other tier', 'PQLs live', 'PQLs replay'],
      ...rows.map(({ from, apart, pqls }): Cell[] => [
        periodTitle(unit, from),
        number(apart),
        number(pqls.live),
        number(pqls.replay),
      ]),
    ]),
  ]
}

function periodTitle(unit: PeriodUnit, from: number): string {
  const day = new Date(from).toISOString().slice(0, 10)
  switch (unit) {
    case 'day':
    case 'week':
      return day
    case 'month':
      return day.slice(0, 7)
    case 'quarter':
      return `${day.slice(0, 4)} Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`
    case 'year':
      return day.slice(0, 4)
    default:
      return unit satisfies never
  }
}

function pqlLines({ pqls }: ModelRunDiff): Line[] {
  const { triggers, motions, continued, heldOnly, shift } = pqls
  if (triggers.length === 0) return [[{ text: 'PQLs', style: 'bold' }, ': neither has any']]
  const lines: Line[] = [
    [
      { text: 'PQLs', style: 'bold' },
      `: ${grouped(pqls.both)} in both, ${grouped(pqls.onlyLive)} only live, ${grouped(pqls.onlyReplay)} only in the replay`,
    ],
    ...table([
      ['trigger', 'motion', 'live', 'replay', 'both', 'only live', 'only replay', 'earlier', 'same', 'later'],
      ...triggers.map(each => [each.trigger, each.motion, ...countCells(each)]),
      ...(triggers.length > motions.length
        ? motions.map(each => ['all', each.motion, ...countCells(each)])
        : []),
      // One trigger says it all.
      ...(triggers.length > 1 ? [['all', '', ...countCells(pqls)]] : []),
    ]),
  ]
  if (shift.span !== null && shift.same < pqls.both) {
    const { leastMs, medianMs, mostMs } = shift.span
    lines.push([
      `  in the replay those in both began ${formatShift(medianMs)} (median; from ${formatShift(leastMs)} to ${formatShift(mostMs)})`,
    ])
  }
  if (heldOnly.live + heldOnly.replay > 0)
    lines.push([
      `  held all the time: ${grouped(heldOnly.live)} of those in both only live, ${grouped(heldOnly.replay)} only in the replay`,
    ])
  if (continued > 0)
    lines.push([`  and ${grouped(continued)} that one of them had already when the time compared began`])
  return lines
}

function countCells({ live, replay, both, onlyLive, onlyReplay, shift }: PqlCounts): Cell[] {
  return [
    number(live),
    number(replay),
    number(both),
    { text: number(onlyLive), style: onlyLive > 0 ? 'bold' : 'dim' },
    { text: number(onlyReplay), style: onlyReplay > 0 ? 'bold' : 'dim' },
    number(shift.earlier),
    number(shift.same),
    number(shift.later),
  ]
}

function number(amount: number): string {
  return amount === 0 ? '·' : grouped(amount)
}

function oneSidedLines(title: string, published: readonly PublishedCounts[]): Line[] {
  if (published.length === 0) return []
  return [
    [{ text: title, style: 'bold' }, published.length === 1 ? ': a model' : ': models'],
    ...published.map(
      ({ modelId, versions, accounts, tierChanges, pqls }): Line => [
        `  ${plainText(modelId)} ${versionsText(versions)}: ${count(tierChanges, 'tier change')}, ${count(pqls, 'PQL')}, ${count(accounts, 'account')}`,
      ],
    ),
  ]
}

function versionsText(versions: readonly number[]): string {
  return `version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function count(amount: number, what: string): string {
  return `${grouped(amount)} ${what}${amount === 1 ? '' : 's'}`
}
