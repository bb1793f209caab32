import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { ScoringEvent } from '../scoring/events.ts'
import { DAY_MS } from '../signals/time.ts'
import { accountTitle, type ConsoleContext, usableWidth } from './console-context.ts'
import { type Entry, entryOf, SEPARATOR, textSegment } from './event-entry.ts'
import { renderLine, type Segment, segmentsWidth } from './styled-lines.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

// An event as a person reads it: when, what and which account; then why; then what to do next.
// On a wide terminal an event takes two lines. On 80 columns a PQL or alert takes up to three.
//
//   09:41:07  ▲  76  +4     Northwind Robotics      Expansion-likely → ready
//             queue enterprise · NPS answer +5
//   09:41:09  PQL           Harbor Analytics        Seat expansion · score 71
//             84% of the licensed seats are active
//             → 20 seats, worth 4,800: Name the seats in use and how many are left
//   09:41:12  ALERT high    Harbor Analytics        The sponsor left · score 71
//             No login of the sponsor for 14 days
//             → Find a new sponsor · for csm

/**
 * Lines of at most `context.width` columns (60 at least). Names from outside are made safe. No newline at the
 * end.
 */
export function formatEvent(event: ScoringEvent, context: ConsoleContext): string {
  const model = context.model(event.modelId)
  const modelName = otherModelName(event, model, context)
  const columns =
    detailWidth(usableWidth(context)) - (modelName === '' ? 0 : textWidth(SEPARATOR + modelName))
  return layOut(entryOf(event, model, context, columns), event, modelName, context)
}

const TIME_WIDTH = 8
const BADGE_WIDTH = 12
const HEAD_WIDTH = TIME_WIDTH + 2 + BADGE_WIDTH + 2
/**
 * From this width on, the lines below the head start in the account's column. Below it, that would cost a
 * third of the line.
 */
const WIDE = 100

function layOut(
  { badge, style, what, why, joint, next }: Entry,
  event: ScoringEvent,
  modelName: string,
  context: ConsoleContext,
): string {
  const width = usableWidth(context)
  const indent = ' '.repeat(width - detailWidth(width))
  const accountWidth = Math.min(32, Math.floor((width - HEAD_WIDTH) * 0.4))
  const head: Segment[] = [
    { text: column(timeOf(event.at, context.now), TIME_WIDTH, 'right'), style: 'dim' },
    '  ',
    { text: badge, style },
    column('', BADGE_WIDTH - segmentsWidth([badge])),
    '  ',
    { text: column(accountTitle(event.accountId, context), accountWidth), style: 'bold' },
    '  ',
    ...what,
  ]
  const detail = [why, textSegment(modelName, 'dim', SEPARATOR)].filter(segment => segment !== undefined)
  const joined = joint === undefined ? undefined : [...head, joint, ...detail]
  const lines: Segment[][] =
    joined !== undefined && segmentsWidth(joined) <= width ? [joined] : [head, [indent, ...detail]]
  if (next !== undefined) lines.push([indent, next])
  return lines
    .map(line => renderLine(line, { width, color: context.color }))
    .filter(line => line !== '')
    .join('\n')
}

/** The name of the event's model; empty for the main model. */
function otherModelName(
  { modelId }: ScoringEvent,
  model: ModelDefinition | undefined,
  { mainModelId }: ConsoleContext,
): string {
  const isOther = mainModelId !== undefined && modelId !== mainModelId
  return isOther ? plainText(model?.name ?? modelId) : ''
}

/** Columns of the lines below the head. */
function detailWidth(width: number): number {
  return width - (width >= WIDE ? HEAD_WIDTH : TIME_WIDTH + 2)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** `09:41:07` today, `4 Mar` on other days, `Mar 2025` in other years. UTC, as the day buckets are. */
function timeOf(at: number, now: number): string {
  const date = new Date(at)
  if (Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS)) return date.toISOString().slice(11, 19)
  const month = MONTHS[date.getUTCMonth()]!
  const year = date.getUTCFullYear()
  return year === new Date(now).getUTCFullYear() ? `${date.getUTCDate()} ${month}` : `${month} ${year}`
}
