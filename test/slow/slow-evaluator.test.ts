import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryHistory, endWithTick } from '../support/histories.ts'
import { slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import { at, DAY_MS, facts, models, seatsModel, tick, trigger } from '../support/small-histories.ts'

describe('withoutIds', () => {
  test('makes events equal that differ only in ids and in the order of accounts', () => {
    const history = [
      models(at(0), seatsModel({ triggers: [trigger()] })),
      facts(at(0), { seats: 10 }),
      facts(at(0), { seats: 10 }, { accountId: 'other' }),
      tick(at(30)),
    ]
    const { events } = slowEvaluate(history)
    const hashed = events
      .map(event => ({
        ...event,
        id: `h-${event.at}`,
        ...(event.type === 'pql' && { pqlId: `p-${event.pqlId}` }),
      }))
      .sort((a, b) => (a.accountId < b.accountId ? 1 : a.accountId > b.accountId ? -1 : 0))
    expect(events.length).toBeGreaterThan(8)
    expect(withoutIds(hashed)).toEqual(withoutIds(events))
    const later = events.map((event, index) => (index === 3 ? { ...event, at: event.at + 1 } : event))
    expect(withoutIds(later)).not.toEqual(withoutIds(events))
  })
})

describe('random histories', () => {
  test('give the same result whether all boundaries are evaluated or only those that may change something', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 40 }), history => {
        const ended = endWithTick(history, 60 * DAY_MS)
        const slow = slowEvaluate(ended)
        const slowest = slowEvaluate(ended, { everyBoundary: true })
        expect(slow.events).toEqual(slowest.events)
        expect(standingsOf(slow)).toEqual(standingsOf(slowest))
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  test('do not depend on ticks', () => {
    fc.assert(
      fc.property(arbitraryHistory({ accounts: 2, length: 40 }), history => {
        const ended = endWithTick(history, 40 * DAY_MS)
        const quiet = ended.filter((record, index) => !('tick' in record) || index === ended.length - 1)
        expect(withoutIds(slowEvaluate(ended).events)).toEqual(withoutIds(slowEvaluate(quiet).events))
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('contain everything that can happen', () => {
    const seen = new Set<string>()
    const values = new Map<string, Set<unknown>>()
    for (const history of fc.sample(arbitraryHistory({ accounts: 3, length: 80 }), {
      numRuns: 150,
      seed: 7,
    })) {
      const { events, accounts, leads, outcomes } = slowEvaluate(endWithTick(history, 2 * DAY_MS))
      const firstAt = new Map<string, number>()
      for (const event of events) {
        const { at, cause } = event
        seen.add(`${event.type === 'pql' ? event.status : event.type}, ${cause.type}`)
        if (event.type === 'tier-change' && event.queue !== undefined) seen.add('queue')
        if (event.type === 'pql' && (event.confidence ?? 0) % 1 !== 0) seen.add('confidence')
        if (event.type === 'pql' && (event.estimatedValue ?? 0) > 0) seen.add('value')
        if (cause.type !== 'override') continue
        const key = JSON.stringify([event.accountId, cause.signalId])
        if (at > (firstAt.get(key) ?? at)) seen.add('the end of an override')
        firstAt.set(key, Math.min(at, firstAt.get(key) ?? at))
      }
      for (const { inScope, tier, csm } of outcomes)
        seen.add(`outcome ${inScope} ${csm !== undefined}`).add(tier)
      for (const { csm } of leads) seen.add(`lead ${csm !== undefined}`)
      for (const { duplicates, dropped, standings } of accounts.values()) {
        if (duplicates > 0) seen.add('duplicate')
        if (dropped['too-old'] > 0) seen.add('too old')
        for (const { active, inScope, features, alerts } of standings) {
          seen.add(`in scope: ${inScope}`)
          if (alerts.size > 1) seen.add('alerts')
          for (const { name, type } of active.definition.features) {
            const of = values.get(type) ?? new Set()
            values.set(type, of.add(features.get(name)))
          }
        }
      }
    }
    const causes = ['signal', 'late', 'window', 'model', 'override']
    const expected = [
      ...['tier-change', 'qualified', 'held', 'disqualified', 'alert'].flatMap(what =>
        causes.map(cause => `${what}, ${cause}`),
      ),
      ...['held, gate', 'released, gate', 'expired, window', 'duplicate', 'too old'],
      ...[
        'queue',
        'confidence',
        'value',
        'the end of an override',
        'in scope: true',
        'in scope: false',
        'alerts',
      ],
      ...['outcome true true', 'outcome true false', 'outcome false true', 'lead true', 'lead false', 'hot'],
    ]
    expect(expected.filter(what => !seen.has(what))).toEqual([])
    expect(values.size).toBe(21)
    // Each feature shows unknown or 0, and three other values.
    expect([...values].filter(([, of]) => of.size < 4).map(([type]) => type)).toEqual([])
  }, 60_000)
})

function standingsOf({ accounts }: ReturnType<typeof slowEvaluate>) {
  return [...accounts.values()].map(({ accountId, clock, duplicates, dropped, standings }) => ({
    accountId,
    clock,
    duplicates,
    dropped,
    standings: standings.map(
      ({
        modelId,
        score,
        coverage,
        contributions,
        features,
        tier,
        enteredAt,
        inScope,
        triggers,
        alerts,
      }) => ({
        modelId,
        score,
        coverage,
        contributions,
        features,
        tier,
        enteredAt,
        inScope,
        triggers,
        alerts,
      }),
    ),
  }))
}
