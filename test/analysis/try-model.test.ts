import { describe, expect, test } from 'vitest'
import { diffAccount, isChanged } from '../../src/analysis/diff-account.ts'
import { DiffAccumulator, MostChanged } from '../../src/analysis/summarize-diffs.ts'
import { tryModel } from '../../src/analysis/try-model.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { type Account, advance, createAccount, receiveSignal } from '../../src/scoring/account.ts'
import { decodeAccount, encodeAccount } from '../../src/scoring/codec/codec.ts'
import type { CompiledModel } from '../../src/scoring/definition/compiled-model.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { Signal } from '../../src/signals/signal.ts'

const DAY_MS = 86_400_000
const START = Date.parse('2026-05-01T12:00:00Z')
const NOW = Date.parse('2026-05-20T12:00:00Z')

const FIRST = `id: seats
version: 1
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
  health: { latest: health.score }
groups:
  usage:
    weight: 1
    max: 10
    rules:
      users: { title: Users, line: { of: users, corners: [[0, 0], [10, 8]] } }
      health: { title: Health, line: { of: health, corners: [[0, 0], [100, 2]] }, missing: 0 }
tiers: [{ name: cold, from: 0 }, { name: warm, from: 30 }, { name: hot, from: 60 }]
tierPolicy: { margin: 2, dwell: 3d }
gates:
  healthy: { open: health >= 60, missing: open }
triggers:
  many-users:
    motion: seat-expansion
    when: users >= 4
    cooldown: 30d
    expiry: 90d
    reason: "{users} users"
  few-users:
    motion: cross-sell
    when: users <= 2
    cooldown: 30d
    expiry: 90d
    reason: "{users} users"
alerts:
  crowd: { when: users >= 6, frequency: 7d, reason: "{users} users", recipients: [csm] }
`
const SECOND = FIRST.replace('version: 1', 'version: 2')
  .replace('[10, 8]]', '[6, 8]]')
  .replace('      health: { title: Health', '      mood: { title: Mood')
  .replace('users >= 4', 'users >= 5')
  .replace('few-users', 'one-user')
  .replace('users >= 6', 'users >= 3')
  .replace('  crowd:', '  throng:')

const library = new ModelLibrary()
const first = library.compile({ file: 'first', text: FIRST })
const second = library.compile({ file: 'second', text: SECOND })

/** Accounts with 1 to 9 users. Every third is in bad health; the last account is new. */
function accountsUnder(model: CompiledModel): Account[] {
  return Array.from({ length: 9 }, (_, i) => {
    const users = i + 1
    const from = users === 9 ? NOW - DAY_MS : START
    const account = createAccount(
      `account-${users}`,
      from,
      { offset: 0, at: START, models: [model] },
      { type: 'signal', signalId: 's' },
    )
    const signals: Signal[] = Array.from({ length: users }, (_, user) =>
      signal(account.id, 'usage', `u-${user}`, from + user * 1000),
    )
    signals.push(signal(account.id, 'health', undefined, from + 60_000, { score: users % 3 === 0 ? 30 : 90 }))
    for (const [k, each] of signals.entries()) {
      advance(account, each.occurredAt)
      receiveSignal(account, each, each.occurredAt, k === 0)
    }
    return account
  })
}

function signal(
  accountId: string,
  kind: 'usage' | 'health',
  userId: string | undefined,
  occurredAt: number,
  properties: Signal['properties'] = {},
): Signal {
  const id = `${accountId}-${occurredAt}`
  return { id, kind, name: kind, accountId, userId, quantityThousandths: 1000, properties, occurredAt }
}

const copyOf = (account: Account, model: CompiledModel): Account =>
  decodeAccount(account.id, encodeAccount(account), [{ offset: 0, at: START, models: [model] }])

function trials(from: CompiledModel | undefined, to: CompiledModel, held = first) {
  return accountsUnder(held).map(account => tryModel(copyOf(account, held), { from, to, at: NOW })!)
}

describe('another version of a model', () => {
  test('makes exactly the events that a models record of that time makes', () => {
    const accounts = new Map(accountsUnder(first).map(account => [account.id, copyOf(account, first)]))
    const memory = createPartitionMemory()
    memory.modelSets = [{ offset: 0, at: START, models: [first], liveOffset: -1 }]
    const { events } = foldBatch(
      [
        { type: 'models', offset: 100, at: NOW, models: [second] },
        { type: 'tick', offset: 101, timestamp: NOW, slice: 0, of: 1, scope: 'all', clock: 'wall' },
      ],
      memory,
      accounts,
    )
    const published = events
      .map(({ event }) => event)
      .filter(({ cause, type }) => cause.type === 'model' || (cause.type === 'gate' && type === 'pql'))
    const tried = trials(undefined, second).flatMap(trial => trial.events)
    const key = (event: ScoringEvent): string => event.id
    expect(tried.map(key).sort()).toEqual(published.map(key).sort())
    expect(new Set(tried.map(({ type }) => type))).toEqual(new Set(['tier-change', 'pql', 'alert']))
    // The standings afterwards are the same too.
    for (const { accountId, after } of trials(undefined, second)) {
      const { tier, score, triggers } = accounts.get(accountId)!.standings[0]!
      expect({ tier, score, triggers }).toEqual({
        tier: after.tier,
        score: after.score,
        triggers: after.triggers,
      })
    }
  })

  test('with the same content changes nothing', () => {
    for (const trial of trials(undefined, first)) {
      expect(trial.events).toEqual([])
      expect(isChanged(diffAccount(trial))).toBe(false)
      expect(diffAccount(trial).rules).toEqual([])
    }
    expect(trials(first, first).flatMap(({ events }) => events)).toEqual([])
  })

  test('waits for the dwell, as it would in the service', () => {
    const young = trials(undefined, second).at(-1)!
    expect(young.before.score).toBeGreaterThanOrEqual(60)
    // The account is one day old, so it is still in the tier in which accounts begin.
    expect([young.before.tier, young.after.tier]).toEqual([0, 0])
    const { tierLater } = diffAccount(young)
    // Under the old version it gets to that tier as well.
    expect(tierLater).toBeNull()
  })

  test('shows the tier that the account gets after the dwell', () => {
    const [account] = accountsUnder(first).slice(-1)
    const strict = library.compile({ file: 'x', text: SECOND.replace('from: 60', 'from: 99') })
    const diff = diffAccount(tryModel(account!, { from: undefined, to: strict, at: NOW })!)
    expect(diff).toMatchObject({
      tier: { before: 'cold', after: 'cold' },
      tierLater: { tier: 'warm', at: NOW + 2 * DAY_MS },
    })
    expect(isChanged(diff)).toBe(true)
  })

  test('against a version that does not run starts as if that version had always scored the account', () => {
    const [, , , four, , six] = trials(second, first, library.compile({ file: 'x', text: OTHER }))
    expect(diffAccount(four!)).toMatchObject({
      tier: { before: 'hot', after: 'warm' },
      score: { before: 71, after: 50 },
      pqls: [{ trigger: 'many-users', status: 'qualified' }],
    })
    expect(diffAccount(six!)).toMatchObject({ tier: { before: 'hot', after: 'warm' }, pqls: [] })
  })

  test('has nothing to start from if the account has no standing and no version is given', () => {
    const account = accountsUnder(library.compile({ file: 'x', text: OTHER }))[0]!
    expect(tryModel(account, { from: undefined, to: second, at: NOW })).toBeUndefined()
  })
})

const OTHER = FIRST.replace('id: seats', 'id: other')

describe('the diff of an account', () => {
  test('lists changed, new and gone rules, the greatest change first', () => {
    const diff = diffAccount(trials(undefined, second)[3]!)
    expect(diff).toMatchObject({
      accountId: 'account-4',
      at: NOW,
      score: { before: 50, after: 71 },
      tier: { before: 'warm', after: 'hot' },
    })
    expect(diff.rules.map(({ rule, status, change }) => [rule, status, change])).toEqual([
      ['users', 'changed', 21.333333],
      ['health', 'gone', -18],
      ['mood', 'new', 18],
    ])
    expect(diff.pqls).toEqual([{ trigger: 'many-users', motion: 'seat-expansion', status: 'disqualified' }])
    expect(diff.alerts).toEqual(['throng'])
  })

  test('adds up over accounts', () => {
    const sum = new DiffAccumulator()
    const most = new MostChanged(2)
    const diffs = trials(undefined, second).map(diffAccount)
    for (const diff of diffs) {
      sum.add(diff)
      most.offer(diff)
    }
    const { tiers, tierChanges, scores, pqls, alerts, accounts, inScope } = sum.sums()
    expect([accounts, inScope]).toEqual([9, { before: 9, after: 9 }])
    expect(tiers.reduce((all, each) => all + each.accounts, 0)).toBe(9)
    expect(tierChanges).toBe(diffs.filter(({ tier }) => tier.before !== tier.after).length)
    expect(tierChanges).toBeGreaterThan(1)
    expect(scores.up + scores.down + scores.same).toBe(9)
    expect(scores.meanChange).toBeCloseTo(
      diffs.reduce((all, { score }) => all + score.after - score.before, 0) / 9,
      5,
    )
    expect(pqls.find(({ trigger }) => trigger === 'many-users')).toMatchObject({
      disqualified: 1,
      qualified: 0,
    })
    expect(alerts).toEqual([{ alert: 'throng', sent: 7 }])
    const changed = diffs.filter(({ tier, pqls }) => tier.before !== tier.after || pqls.length > 0)
    expect(most.count).toBe(changed.length)
    const strength = ({ tier, score }: (typeof diffs)[number]): number =>
      (tier.before === tier.after ? 0 : 1000) + Math.abs(score.after - score.before)
    expect(most.accounts.map(strength)).toEqual(
      changed
        .map(strength)
        .sort((a, b) => b - a)
        .slice(0, 2),
    )
  })
})
