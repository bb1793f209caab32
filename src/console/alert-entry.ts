import type { ModelDefinition, Priority } from '../scoring/definition/model-definition.ts'
import type { AlertEvent } from '../scoring/outputs.ts'
import { type Entry, textSegment } from './entry.ts'
import type { Style } from './render-line.ts'
import { plainText } from './terminal-text.ts'

const BADGES: Readonly<Record<Priority, readonly [text: string, style: Style]>> = {
  urgent: ['ALERT urgent', ['bold', 'inverse', 'red']],
  high: ['ALERT high', ['bold', 'red']],
  medium: ['ALERT', ['bold', 'yellow']],
  low: ['ALERT low', 'dim'],
}

/** An alert: its title, why it was sent, then what to do and whom it is for. */
export function alertEntry(event: AlertEvent, model: ModelDefinition | undefined): Entry {
  const [badge, style] = BADGES[event.priority]
  return {
    badge,
    style,
    what: [
      { text: plainText(event.title) || plainText(event.alert), style: 'bold' },
      { text: ` · score ${event.score.toFixed(model?.score.decimals ?? 0)}`, style: 'dim' },
    ],
    why: textSegment(event.reasons.join('; '), 'reset'),
    joint: ': ',
    next: textSegment(nextStep(event), 'cyan', '→ '),
  }
}

/** `Call the sponsor · assigned to Dana · for csm, #expansion`, as far as the model says. */
function nextStep({ action = '', assignee = '', recipients }: AlertEvent): string {
  const assigned = plainText(assignee)
  const told = recipients
    .map(plainText)
    .filter(text => text !== '')
    .join(', ')
  return [
    plainText(action),
    assigned === '' ? '' : `assigned to ${assigned}`,
    told === '' ? '' : `for ${told}`,
  ]
    .filter(text => text !== '')
    .join(' · ')
}
