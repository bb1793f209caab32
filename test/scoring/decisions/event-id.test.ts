import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { foldHistory } from '../../support/fold-history.ts'
import { at, facts, models, seatsModel, trigger } from '../../support/small-histories.ts'

/** The published rule, with Node's own SHA-256. */
function idOf(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)
}

describe('event ids are the first 128 bits of a SHA-256', () => {
  const signals = [facts(at(1), { seats: 12 })]
  const { events } = foldHistory([[models(at(0), seatsModel({ triggers: [trigger()] })), ...signals]])
  const cause = ['signal', signals[0]!.signal.id] as const
  const [tierChange, pql] = events

  test('of what a tier change says', () => {
    if (tierChange?.type !== 'tier-change') throw new Error('No tier change.')
    const { accountId, modelId, modelVersion, from, to } = tierChange
    expect(tierChange.id).toBe(
      idOf('tier-change', accountId, modelId, modelVersion, from, to, tierChange.at, ...cause),
    )
  })

  test('of a PQL, and of a step in its life', () => {
    if (pql?.type !== 'pql') throw new Error('No PQL event.')
    const { accountId, modelId, modelVersion, pqlId, status } = pql
    expect(pqlId).toBe(idOf('pql', accountId, modelId, modelVersion, pql.trigger, pql.at, ...cause))
    expect(pql.id).toBe(idOf('pql-event', pqlId, status, pql.at, ...cause))
  })
})
