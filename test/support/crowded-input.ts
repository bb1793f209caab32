import type { ModelSource } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'
import type { Outputs } from './run-pipeline.ts'

/** Signals of one account that go beyond its limits, and a model that needs all of them. */

const NOW = Date.UTC(2026, 2, 4, 12)

export const CROWDED_MODELS: readonly ModelSource[] = [
  {
    file: 'crowded.yaml',
    text: `
id: crowded
version: 1
name: Crowded
score: { scale: 1, max: 100 }
features:
  used: { count: { of: usage, within: 30d } }
  asked: { count: { of: intent, names: pricing.viewed, within: 30d } }
  daysToRenewal: { daysUntil: { date: contract.renewalDate, from: 0, to: 90 } }
groups:
  all:
    weight: 1
    max: 100
    rules:
      used: { of: used, bands: [{ from: 600, points: 10 }] }
      asked: { of: asked, bands: [{ from: 1, points: 20 }] }
      renewal: { of: daysToRenewal, missing: 0, bands: [{ from: 28, points: 40 }] }
tiers:
  - { name: few, from: 0 }
  - { name: used, from: 10 }
  - { name: asked, from: 30 }
  - { name: renewing, from: 70 }
`,
  },
]

function signal(id: string, minutes: number, parts: Partial<Signal>): Signal {
  return {
    id,
    kind: 'usage',
    name: id,
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW + minutes * 60_000,
    ...parts,
  }
}

/** 600 signals of 600 names, an intent, 300 traits, and the date of the renewal. */
export const CROWDED_SIGNALS: readonly Signal[] = [
  ...Array.from({ length: 600 }, (_, i) => signal(`page.viewed./docs/${i}`, 0, {})),
  signal('asked', 1, { kind: 'intent', name: 'pricing.viewed' }),
  ...[0, 1].map(half =>
    signal(`traits-${half}`, 2, {
      kind: 'traits',
      name: 'traits',
      properties: Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`trait-${half}-${i}`, i])),
    }),
  ),
  signal('renewal', 3, { kind: 'contract', name: 'contract', properties: { renewalDate: '2026-04-01' } }),
]

/** The tier changes of the account, as `from > to`. */
export function movesOf({ tierChanges }: Outputs): string[] {
  return (tierChanges.get('acme') ?? []).map(text => {
    const { from, to } = JSON.parse(text) as { from: string; to: string }
    return `${from} > ${to}`
  })
}

export const CROWDED_MOVES = ['few > used', 'used > asked', 'asked > renewing']
