import type { PeriodUnit } from '../analysis/periods.ts'
import {
  isModelDifferent,
  type ModelRunDiff,
  type PqlCounts,
  type PublishedCounts,
  type RunDiff,
} from '../analysis/run-diff.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { counted, formatShift, grouped } from './format.ts'
import { titleOfTier } from './print-account-diff.ts'
import { runDiffLists } from './print-run-diff-lists.ts'
import { type Line, type LineLook, renderSections, type Segment, table } from './styled-lines.ts'
import { plainText } from './terminal-text.ts'

export interface RunDiffHead {
  /** The replay's name. */
  readonly replay: string
  /**
   * The comparison ends at the time that both have reached: before the replay's own end, or the replay has
   * none.
   */
  readonly isCut: boolean
  /** The replay has not scored all signals from before that end yet. */
  readonly isBehind: boolean
  /** The models that the replay was begun with, for titles. */
  readonly models: readonly ModelDefinition[]
}

export interface RunDiffLook extends LineLook {
  /** The most rows of each list. */
  readonly limit: number
}

/** What a replay published differently from what is live: by model, first the sums. No newline at the end. */
export function formatRunDiff(head: RunDiffHead, diff: RunDiff, look: RunDiffLook): string {
  const sections: readonly (readonly Line[])[] = [
    headLines(head, diff),
    ...diff.models.flatMap(model => modelSections(model, head.models, look.limit)),
    oneSidedLines('Only live', diff.oneSided.live),
    oneSidedLines('Only in the replay', diff.oneSided.replay),
  ]
  return renderSections(sections, look)
}

function headLines({ replay, isCut, isBehind }: RunDiffHead, { window, models, oneSided }: RunDiff): Line[] {
  const { from, to } = window
  const until = to === null ? 'now' : isoTime(to)
  const lines: Line[] = [
    [
      { text: `Replay ${plainText(replay)}`, style: 'bold' },
      ` against the live results: ${from === null ? 'from the beginning' : isoTime(from)} to ${until}`,
      isCut && to !== null ? ', the time that both have reached' : '',
    ],
  ]
  if (from !== null)
    lines.push([
      'The replay began without earlier signals: scores that need them differ for that reason alone.',
    ])
  if (isBehind)
    lines.push([
      {
        text: 'The replay has not read all of its log up to that time yet: the rest is missing here.',
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
  // Another model can give a tier of the same name another title.
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
  return [
    `No difference: ${counted(tiers.accounts, 'account')} that changed tier, ${counted(pqls.both, 'PQL')}`,
  ]
}

function tierLines({ tiers }: ModelRunDiff, titleOf: (tier: string) => string): Line[] {
  const { accounts, moved, apart, cells } = tiers
  if (accounts === 0)
    return [[{ text: 'Tiers', style: 'bold' }, ': no account has changed its tier in either']]
  const also = apart > moved ? `, ${grouped(apart)} ${apart === 1 ? 'was' : 'were'} at some time` : ''
  const heading: Line = [
    { text: 'Tiers', style: 'bold' },
    `: ${grouped(moved)} of ${counted(accounts, 'account')} ${moved === 1 ? 'is' : 'are'} in another tier at the end${also}`,
  ]
  // The best tier first, as people list them.
  const ordered = (side: 'live' | 'replay'): string[] =>
    [...tiers.names].reverse().filter(name => cells.some(cell => cell[side] === name))
  const [rows, columns] = [ordered('live'), ordered('replay')]
  const matrix: Segment[][] = [
    ['live ↓  replay →', ...columns.map(titleOf)],
    ...rows.map(row => [
      titleOf(row),
      ...columns.map((column): Segment => {
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
    [
      { text: 'Over time', style: 'bold' },
      ': accounts in another tier at the end of each period, and PQLs that began in it',
    ],
    ...table([
      [UNIT_TITLES[unit], 'other tier', 'PQLs live', 'PQLs replay'],
      ...rows.map(({ from, apart, pqls }): Segment[] => [
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
      // With one trigger, its row is the sum.
      ...(triggers.length > 1 ? [['all', '', ...countCells(pqls)]] : []),
    ]),
  ]
  if (shift.span !== null && shift.same < pqls.both) {
    const { leastMs, medianMs, mostMs } = shift.span
    lines.push([
      `  PQLs in both began ${formatShift(medianMs)} in the replay (median; from ${formatShift(leastMs)} to ${formatShift(mostMs)})`,
    ])
  }
  if (heldOnly.live + heldOnly.replay > 0)
    lines.push([
      `  PQLs in both that were held all the time: ${grouped(heldOnly.live)} only live, ${grouped(heldOnly.replay)} only in the replay`,
    ])
  if (continued > 0)
    lines.push([`  and ${grouped(continued)} that one of them had before the compared time began`])
  return lines
}

function countCells({ live, replay, both, onlyLive, onlyReplay, shift }: PqlCounts): Segment[] {
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
        `  ${plainText(modelId)} ${versionsText(versions)}: ${counted(tierChanges, 'tier change')}, ${counted(pqls, 'PQL')}, ${counted(accounts, 'account')}`,
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
