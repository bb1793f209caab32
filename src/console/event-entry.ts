import type { ModelDefinition, Priority } from '../scoring/definition/model-definition.ts'
import type { AlertEvent, PqlEvent, PqlStatus, ScoringEvent, TierChange } from '../scoring/events.ts'
import { type ConsoleContext, motionTitle, tierTitle } from './console-context.ts'
import { describeChange } from './describe-change.ts'
import { grouped } from './format.ts'
import type { Segment, Style } from './styled-lines.ts'
import { plainText, textWidth } from './terminal-text.ts'

export const SEPARATOR = ' · '

/** The parts of an event's text, in reading order. */
export interface Entry {
  readonly badge: string
  readonly style: Style
  readonly what: readonly Segment[]
  readonly why: Segment | undefined
  /** Goes between `what` and `why` when both are on one line; undefined: `why` always has its own line. */
  readonly joint: string | undefined
  readonly next: Segment | undefined
}

/** `columns`: the room for `why` on a line of its own. */
export function entryOf(
  event: ScoringEvent,
  model: ModelDefinition | undefined,
  context: ConsoleContext,
  columns: number,
): Entry {
  switch (event.type) {
    case 'tier-change':
      return tierChangeEntry(event, model, context, columns)
    case 'pql':
      return pqlEntry(event, model)
    case 'alert':
      return alertEntry(event, model)
    default:
      return event satisfies never
  }
}

/** Undefined for an empty text. */
export function textSegment(text: string, style: Style, before = ''): Segment | undefined {
  const plain = plainText(text)
  return plain === '' ? undefined : { text: before + plain, style }
}

function tierChangeEntry(
  event: TierChange,
  model: ModelDefinition | undefined,
  context: ConsoleContext,
  columns: number,
): Entry {
  const rankOf = (tier: string): number => model?.tiers.findIndex(({ name }) => name === tier) ?? -1
  const [fromRank, toRank] = [rankOf(event.from), rankOf(event.to)]
  const isUp = fromRank >= 0 && toRank >= 0 ? toRank > fromRank : event.score >= event.previousScore
  const style: Style = isUp ? ['bold', 'green'] : ['bold', 'red']
  const decimals = model?.score.decimals ?? 0
  const change = event.score - event.previousScore
  const from = tierTitle(event.from, model)
  const queue = plainText(event.queue ?? '')
  const start = queue === '' ? '' : `queue ${queue}`
  const room = columns - (start === '' ? 0 : textWidth(SEPARATOR + start))
  const reason = describeChange(event, isUp, model, context.contributionsBefore?.(event), room)
  return {
    badge: `${isUp ? '▲' : '▼'} ${event.score.toFixed(decimals).padStart(3)}  ${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(decimals)}`,
    style,
    what: [
      { text: `${from} → `, style: 'dim' },
      { text: withoutSharedStart(tierTitle(event.to, model), from), style },
    ],
    why: textSegment([start, reason].filter(text => text !== '').join(SEPARATOR), 'dim'),
    joint: undefined,
    next: undefined,
  }
}

/** Gives `Expansion-likely → ready`, not `→ Expansion-ready`: the tiers of one model often begin alike. */
function withoutSharedStart(text: string, other: string): string {
  const start = /^[^\s\-–:]+[\s\-–:]+/.exec(text)?.[0]
  return start !== undefined && other.startsWith(start) && text.length > start.length
    ? text.slice(start.length)
    : text
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
    next: nextPqlStep(event, model),
  }
}

/** An open PQL: what to do. A held one: what holds it back. A closed one: why it closed. */
function nextPqlStep(event: PqlEvent, model: ModelDefinition | undefined): Segment | undefined {
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

/**
 * The first step that only this trigger has: a step that all triggers of the model share helps nobody decide.
 */
function firstOwnStep(play: readonly string[], model: ModelDefinition | undefined): string | undefined {
  const triggers = model?.triggers ?? []
  const isShared = (step: string): boolean =>
    triggers.length > 1 && triggers.every(trigger => trigger.play.includes(step))
  return play.find(step => !isShared(step)) ?? play[0]
}

function gateTitles(event: PqlEvent, model: ModelDefinition | undefined): string {
  const trigger = model?.triggers.find(({ name }) => name === event.trigger)
  // A trigger without gates is held by a person only.
  if (trigger?.gates.length === 0) return 'the hold is lifted'
  const gates = model?.gates.filter(({ name }) => trigger?.gates.includes(name)) ?? []
  return gates.map(({ title, name }) => title || name).join('; ') || 'its gate opens'
}

const ALERT_BADGES: Readonly<Record<Priority, readonly [text: string, style: Style]>> = {
  urgent: ['ALERT urgent', ['bold', 'inverse', 'red']],
  high: ['ALERT high', ['bold', 'red']],
  medium: ['ALERT', ['bold', 'yellow']],
  low: ['ALERT low', 'dim'],
}

function alertEntry(event: AlertEvent, model: ModelDefinition | undefined): Entry {
  const [badge, style] = ALERT_BADGES[event.priority]
  return {
    badge,
    style,
    what: [
      { text: plainText(event.title) || plainText(event.alert), style: 'bold' },
      { text: ` · score ${event.score.toFixed(model?.score.decimals ?? 0)}`, style: 'dim' },
    ],
    why: textSegment(event.reasons.join('; '), 'reset'),
    joint: ': ',
    next: textSegment(nextAlertStep(event), 'cyan', '→ '),
  }
}

/** `Call the sponsor · assigned to Dana · for csm, #expansion`, as far as the model says. */
function nextAlertStep({ action = '', assignee = '', recipients }: AlertEvent): string {
  const assigned = plainText(assignee)
  const readers = recipients
    .map(plainText)
    .filter(text => text !== '')
    .join(', ')
  return [
    plainText(action),
    assigned === '' ? '' : `assigned to ${assigned}`,
    readers === '' ? '' : `for ${readers}`,
  ]
    .filter(text => text !== '')
    .join(SEPARATOR)
}
