import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { PqlEvent, PqlStatus, ScoringEvent, TierChange } from '../scoring/outputs.ts'
import { DAY_MS } from '../signals/time.ts'
import { alertEntry } from './alert-entry.ts'
import { accountTitle, type ConsoleContext, motionTitle, tierTitle, usableWidth } from './console-context.ts'
import { describeChange } from './describe-change.ts'
import { type Entry, textSegment } from './entry.ts'
import { grouped } from './grouped.ts'
import { renderLine, type Segment, type Style, segmentsWidth } from './render-line.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

const SEPARATOR = ' · '

/**
 * An event as a person likes to read it in a terminal: when, what and which account, then why, then what to do next. Two lines on a wide
 * terminal, for PQLs and alerts up to three on one of 80 columns; none is longer than `context.width` (60 at least). Names from outside are made
 * safe. No newline at the end.
 *
 * ```
 * 09:41:07  ▲  76  +4     Northwind Robotics      Expansion-likely → ready
 *           queue enterprise · NPS answer +5
 * 09:41:09  PQL           Harbor Analytics        Seat expansion · score 71
 *           84% of the licensed seats are active
 *           → 20 seats, worth 4,800: Name the seats in use and how many are left
 * 09:41:12  ALERT high    Harbor Analytics        The sponsor left · score 71
 *           No login of the sponsor for 14 days
 *           → Find a new sponsor · for csm
 * ```
 */
export function formatEvent(event: ScoringEvent, context: ConsoleContext): string {
  const model = context.model(event.modelId)
  return layOut(entryOf(event, model, context), event, model, context)
}

function entryOf(event: ScoringEvent, model: ModelDefinition | undefined, context: ConsoleContext): Entry {
  switch (event.type) {
    case 'tier-change':
      return tierChangeEntry(event, model, context)
    case 'pql':
      return pqlEntry(event, model)
    case 'alert':
      return alertEntry(event, model)
    default:
      return event satisfies never
  }
}

function tierChangeEntry(
  event: TierChange,
  model: ModelDefinition | undefined,
  context: ConsoleContext,
): Entry {
  const rankOf = (tier: string): number => model?.tiers.findIndex(({ name }) => name === tier) ?? -1
  const [fromRank, toRank] = [rankOf(event.from), rankOf(event.to)]
  const up = fromRank >= 0 && toRank >= 0 ? toRank > fromRank : event.score >= event.previousScore
  const style: Style = up ? ['bold', 'green'] : ['bold', 'red']
  const decimals = model?.score.decimals ?? 0
  const change = event.score - event.previousScore
  const from = tierTitle(event.from, model)
  const queue = plainText(event.queue ?? '')
  const start = queue === '' ? '' : `queue ${queue}`
  const around = [start, otherModelName(event, model, context)].filter(text => text !== '')
  const columns = detailWidth(usableWidth(context)) - textWidth(around.map(text => SEPARATOR + text).join(''))
  const moved = describeChange(event, up, model, context.contributionsBefore?.(event), columns)
  return {
    badge: `${up ? '▲' : '▼'} ${event.score.toFixed(decimals).padStart(3)}  ${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(decimals)}`,
    style,
    what: [
      { text: `${from} → `, style: 'dim' },
      { text: withoutSharedStart(tierTitle(event.to, model), from), style },
    ],
    why: textSegment([start, moved].filter(text => text !== '').join(SEPARATOR), 'dim'),
    joint: undefined,
    next: undefined,
  }
}

const PQL_BADGES: Readonly<Record<PqlStatus, readonly [text: string, style: Style]>> = {
  qualified: ['PQL', ['bold', 'inverse', 'green']],
  released: ['PQL released', ['bold', 'green']],
  held: ['PQL held', ['bold', 'yellow']],
  disqualified: ['PQL dropped', 'dim'],
  expired: ['PQL expired', 'dim'],
}

function pqlEntry(event: PqlEvent, model: ModelDefinition | undefined): Entry {
  const [badge, style] = PQL_BADGES[event.status]
  const isClosed = event.status === 'disqualified' || event.status === 'expired'
  return {
    badge,
    style,
    what: [
      { text: motionTitle(event.motion), style: isClosed ? 'dim' : 'bold' },
      { text: ` · score ${event.score.toFixed(model?.score.decimals ?? 0)}`, style: 'dim' },
    ],
    why: textSegment(event.reasons.join('; '), isClosed ? 'dim' : 'reset'),
    joint: ': ',
    next: nextStep(event, model),
  }
}

/** What to do about a PQL; of a closed one, why it closed. */
function nextStep(event: PqlEvent, model: ModelDefinition | undefined): Segment | undefined {
  switch (event.status) {
    case 'qualified':
    case 'released': {
      const parts = [prospectsOf(event), plainText(firstOwnStep(event.play, model) ?? '')]
      return textSegment(parts.filter(part => part !== '').join(': '), 'cyan', '→ ')
    }
    case 'held': {
      const prospects = prospectsOf(event)
      const ending = prospects === '' ? '' : SEPARATOR + prospects
      return textSegment(gateTitles(event, model) + ending, 'yellow', 'No outreach until: ')
    }
    case 'disqualified':
      return textSegment('No longer enough for a PQL', 'dim')
    case 'expired':
      return textSegment('Nobody acted on it in time', 'dim')
    default:
      return event.status satisfies never
  }
}

/** `Enterprise plan, worth 12,400`, as far as the model says. */
function prospectsOf({ offer, estimatedValue }: PqlEvent): string {
  const worth = estimatedValue === undefined ? '' : `worth ${grouped(estimatedValue)}`
  return [plainText(offer ?? ''), worth].filter(part => part !== '').join(', ')
}

/** The first step that is this trigger's own: one that every trigger of the model has tells the reader nothing. */
function firstOwnStep(play: readonly string[], model: ModelDefinition | undefined): string | undefined {
  const triggers = model?.triggers ?? []
  const isShared = (step: string): boolean =>
    triggers.length > 1 && triggers.every(trigger => trigger.play.includes(step))
  return play.find(step => !isShared(step)) ?? play[0]
}

function gateTitles(event: PqlEvent, model: ModelDefinition | undefined): string {
  const trigger = model?.triggers.find(({ name }) => name === event.trigger)
  // No gate can close it: then only a person holds it back.
  if (trigger?.gates.length === 0) return 'the hold is lifted'
  const gates = model?.gates.filter(({ name }) => trigger?.gates.includes(name)) ?? []
  return gates.map(({ title, name }) => title || name).join('; ') || 'its gate opens'
}

const TIME_WIDTH = 8
const BADGE_WIDTH = 12
const HEAD_WIDTH = TIME_WIDTH + 2 + BADGE_WIDTH + 2
/** From here on the lines below the head start in the account's column; on less, that would cost a third of the line. */
const WIDE = 100

function layOut(
  { badge, style, what, why, joint, next }: Entry,
  event: ScoringEvent,
  model: ModelDefinition | undefined,
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
  const modelName = textSegment(otherModelName(event, model, context), 'dim', SEPARATOR)
  const detail = [why, modelName].filter(segment => segment !== undefined)
  const joined = joint === undefined ? undefined : [...head, joint, ...detail]
  const lines: Segment[][] =
    joined !== undefined && segmentsWidth(joined) <= width ? [joined] : [head, [indent, ...detail]]
  if (next !== undefined) lines.push([indent, next])
  return lines
    .map(line => renderLine(line, width, context.color))
    .filter(line => line !== '')
    .join('\n')
}

/** The name of the event's model, if it is not the one that the reader watches. */
function otherModelName(
  { modelId }: ScoringEvent,
  model: ModelDefinition | undefined,
  { mainModelId }: ConsoleContext,
): string {
  const ofOtherModel = mainModelId !== undefined && modelId !== mainModelId
  return ofOtherModel ? plainText(model?.name ?? modelId) : ''
}

/** Columns of the lines below the head. */
function detailWidth(width: number): number {
  return width - (width >= WIDE ? HEAD_WIDTH : TIME_WIDTH + 2)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** `09:41:07` today, `4 Mar` on other days, `Mar 2025` in other years. UTC, as the buckets are. */
function timeOf(at: number, now: number): string {
  const date = new Date(at)
  if (Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS)) return date.toISOString().slice(11, 19)
  const month = MONTHS[date.getUTCMonth()]!
  const year = date.getUTCFullYear()
  return year === new Date(now).getUTCFullYear() ? `${date.getUTCDate()} ${month}` : `${month} ${year}`
}

/** `Expansion-likely → ready`, not `→ Expansion-ready`: the tiers of one model often begin alike. */
function withoutSharedStart(text: string, other: string): string {
  const start = /^[^\s\-–:]+[\s\-–:]+/.exec(text)?.[0]
  return start !== undefined && other.startsWith(start) && text.length > start.length
    ? text.slice(start.length)
    : text
}
