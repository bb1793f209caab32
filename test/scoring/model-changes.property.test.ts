import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { type AccountDiff, diffAccount } from '../../src/analysis/diff-account.ts'
import { tryModel } from '../../src/analysis/try-model.ts'
import { type Account, advance, type ModelSet } from '../../src/scoring/account.ts'
import { eventsToAnnounce } from '../../src/scoring/announce-promotion.ts'
import { decodeAccount, encodeAccount } from '../../src/scoring/codec/codec.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { Standing } from '../../src/scoring/standing.ts'
import { arbitraryModelChanges } from '../support/arbitrary/arbitrary-model-changes.ts'
import { foldHistory, historyEntries } from '../support/fold-history.ts'
import { arbitrarySplit } from '../support/histories.ts'
import { slowEvaluate, withoutIds } from '../support/slow/slow-evaluator.ts'
import { Subscriber } from '../support/subscriber.ts'

vi.setConfig({ testTimeout: 120_000 })

const RUNS = 200

/** One partition, folded record by record. */
class Partition {
  readonly memory = createPartitionMemory()
  readonly accounts = new Map<string, Account>()

  /** The events of a record. A models record is folded with the tick that brings every account past it. */
  fold(entries: readonly LogEntry[]): ScoringEvent[] {
    return foldBatch(entries, this.memory, this.accounts).events.map(({ event }) => event)
  }

  /** Copies of the accounts, to try something on them. */
  copies(): Account[] {
    return [...this.accounts.values()].map(account =>
      decodeAccount(account.id, encodeAccount(account), this.memory.modelSets),
    )
  }
}

function tierOf({ model, tier }: Standing): string {
  return model.definition.tiers[tier]!.name
}

function pqlsOf({ model, triggers }: Standing): Map<string, string> {
  return new Map(
    triggers.flatMap((state, i) =>
      state.status === 'idle' ? [] : [[state.pqlId, `${model.triggers[i]!.definition.name} ${state.status}`]],
    ),
  )
}

test('a service that reads only tier changes and PQL events knows every tier and PQL at every moment', () => {
  let removed = 0
  let returned = 0
  fc.assert(
    fc.property(arbitraryModelChanges({ accounts: 3, length: 40 }), history => {
      const partition = new Partition()
      const subscriber = new Subscriber()
      const everMet = new Set<string>()
      for (const entries of historyEntries(history)) {
        const events = partition.fold(entries)
        // A model that an account meets for the first time begins with its lowest tier.
        for (const { id, standings } of partition.accounts.values())
          for (const { model } of standings)
            subscriber.knows(id, model.definition.id, model.definition.tiers[0]!.name)
        for (const event of events) subscriber.read(event)
        for (const { id, standings, activity } of partition.accounts.values()) {
          for (const standing of standings) {
            const modelId = standing.model.definition.id
            const known = subscriber.knows(id, modelId, 'unknown')
            expect(known.tier).toBe(tierOf(standing))
            expect(known.pqls).toEqual(pqlsOf(standing))
            expect(activity.formerTiers.has(modelId)).toBe(false)
            if (everMet.has(`away ${id} ${modelId}`)) returned++
            everMet.delete(`away ${id} ${modelId}`)
          }
          for (const [modelId, tier] of activity.formerTiers) {
            expect(subscriber.knows(id, modelId, 'unknown')).toEqual({ tier, pqls: new Map() })
            removed++
            everMet.add(`away ${id} ${modelId}`)
          }
        }
      }
    }),
    { numRuns: RUNS },
  )
  // Models that never go and come back would prove nothing.
  expect(removed).toBeGreaterThan(RUNS)
  expect(returned).toBeGreaterThan(RUNS / 4)
})

test('a switch publishes what "upswell model diff" says', () => {
  let tierChanges = 0
  let pqlEvents = 0
  fc.assert(
    fc.property(arbitraryModelChanges({ accounts: 3, length: 40 }), history => {
      const partition = new Partition()
      for (const entries of historyEntries(history)) {
        const expected = entries[0]!.type === 'models' ? diffsOf(partition, entries[0]!) : []
        const events = partition.fold(entries)
        for (const { diff, modelId, passed } of expected) {
          const published = events
            .filter(event => event.accountId === diff.accountId && event.modelId === modelId)
            .slice(passed)
          const [change, ...further] = published.filter(event => event.type === 'tier-change')
          expect(further).toEqual([])
          expect({ before: change?.from ?? diff.tier.before, after: change?.to ?? diff.tier.after }).toEqual(
            diff.tier,
          )
          expect(change === undefined).toBe(diff.tier.before === diff.tier.after)
          const pqls = published.filter(event => event.type === 'pql')
          expect(pqls.map(({ trigger, motion, status }) => ({ trigger, motion, status }))).toEqual(diff.pqls)
          const alerts = published.filter(event => event.type === 'alert')
          expect(alerts.map(({ alert }) => alert)).toEqual(diff.alerts)
          if (change !== undefined) tierChanges++
          pqlEvents += pqls.length
        }
      }
    }),
    { numRuns: RUNS },
  )
  expect(tierChanges).toBeGreaterThan(RUNS / 2)
  expect(pqlEvents).toBeGreaterThan(RUNS / 4)
})

interface ExpectedDiff {
  readonly diff: AccountDiff
  readonly modelId: string
  /** How many events of boundaries up to the switch precede it. */
  readonly passed: number
}

/** The diff of each account and model that gets another version. */
function diffsOf(partition: Partition, { at, models }: ModelSet): ExpectedDiff[] {
  return models.flatMap(to => {
    const modelId = to.definition.id
    const passing = partition.copies().map(account => advance(account, at))
    return partition.copies().flatMap((account, i): ExpectedDiff[] => {
      const old = account.standings.find(({ model }) => model.definition.id === modelId)
      if (old === undefined || old.model === to) return []
      const trial = tryModel(account, { from: undefined, to, at })!
      const passed = passing[i]!.filter(event => event.modelId === modelId).length
      return [{ diff: diffAccount(trial), modelId, passed }]
    })
  })
}

test('a promotion from one lineage to another announces every tier and PQL that differs', () => {
  let announced = 0
  const options = { accounts: 3, length: 40 }
  fc.assert(
    fc.property(arbitraryModelChanges(options), arbitraryModelChanges(options), (history, other) => {
      const [served, promoted] = [new Partition(), new Partition()]
      const subscriber = new Subscriber()
      for (const entries of historyEntries(history)) {
        const events = served.fold(entries)
        for (const { id, standings } of served.accounts.values())
          for (const { model } of standings)
            subscriber.knows(id, model.definition.id, model.definition.tiers[0]!.name)
        for (const event of events) subscriber.read(event)
      }
      // The other lineage has the same signals, and one set of models from the beginning.
      const replayed = [other[0]!, ...history.filter(record => !('models' in record))]
      for (const entries of historyEntries(replayed)) promoted.fold(entries)
      for (const account of promoted.accounts.values()) {
        const { standings, activity } = served.accounts.get(account.id)!
        for (const { model } of account.standings)
          subscriber.knows(account.id, model.definition.id, model.definition.tiers[0]!.name)
        const events = eventsToAnnounce({ standings, formerTiers: activity.formerTiers }, account, 'next')
        for (const event of events) subscriber.read(event)
        announced += events.length
        for (const standing of account.standings) {
          const known = subscriber.knows(account.id, standing.model.definition.id, 'unknown')
          expect(known).toEqual({ tier: tierOf(standing), pqls: pqlsOf(standing) })
        }
        const now = account.standings.map(({ model }) => model.definition.id)
        for (const { model } of standings.filter(each => !now.includes(each.model.definition.id))) {
          const { id, tiers } = model.definition
          expect(subscriber.knows(account.id, id, 'unknown')).toEqual({
            tier: tiers[0]!.name,
            pqls: new Map(),
          })
        }
      }
    }),
    { numRuns: RUNS },
  )
  expect(announced).toBeGreaterThan(RUNS)
})

test('the slow evaluator agrees, whatever the batches', () => {
  fc.assert(
    fc.property(
      arbitraryModelChanges({ accounts: 3, length: 50 }).chain(history =>
        fc.tuple(fc.constant(history), arbitrarySplit(history)),
      ),
      ([history, batches]) => {
        const folded = foldHistory(batches)
        const slow = slowEvaluate(history)
        expect(withoutIds(folded.events)).toEqual(withoutIds(slow.events))
        expect(folded.bytes).toEqual(foldHistory([history]).bytes)
        const ids = folded.events.map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
      },
    ),
    { numRuns: RUNS },
  )
})
