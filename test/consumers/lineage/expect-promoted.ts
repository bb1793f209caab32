import { expect } from 'vitest'
import type { LogRecord } from '../../../src/log/log.ts'
import { recordKind } from '../../../src/log/own-records.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import type { Account } from '../../../src/scoring/account.ts'
import type { FoldedEvent } from '../../../src/scoring/fold.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { type Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import {
  countersOf,
  foldLog,
  namespaceOf,
  type Published,
  published,
  publishedOf,
  statesOf,
  storedAccounts,
  type Written,
} from './read-lineage.ts'

/** A log, divided at its promotion. */
interface Parted {
  readonly before: FoldedEvent[]
  readonly after: FoldedEvent[]
  /** The accounts at the promotion. */
  readonly accounts: Map<string, Account>
  readonly rejectedBefore: number
  readonly rejectedAfter: number
  readonly haveModelsChanged: boolean
}

function partAt(installation: Written, topic: string, namespace: string): Parted {
  const { broker, library } = installation
  const before: FoldedEvent[] = []
  const after: FoldedEvent[] = []
  const accounts = new Map<string, Account>()
  const rejected = { before: 0, after: 0 }
  let haveModelsChanged = false
  const partitions = broker.partitions(topic)
  for (let partition = 0; partition < partitions; partition++) {
    const records = broker.records(topic, partition)
    const at = records.findIndex(record => isPromotion(record, namespace))
    expect(at, `${topic}/${partition} holds the promotion`).toBeGreaterThanOrEqual(0)
    const { offset } = records[at]!
    const whole = foldPlainly(records, library, partitions)
    const part = foldPlainly(records.slice(0, at), library, partitions)
    before.push(...whole.events.filter(event => event.offset < offset))
    after.push(...whole.events.filter(event => event.offset > offset))
    for (const account of part.accounts.values()) accounts.set(account.id, account)
    haveModelsChanged ||= records.slice(at).some(record => recordKind(record) === 'models')
    rejected.before += part.rejected.length
    rejected.after += whole.rejected.length - part.rejected.length
  }
  return {
    before,
    after,
    accounts,
    rejectedBefore: rejected.before,
    rejectedAfter: rejected.after,
    haveModelsChanged,
  }
}

function isPromotion(record: LogRecord, namespace: string): boolean {
  return recordKind(record) === 'promotion' && JSON.parse(String(record.value)).namespace === namespace
}

interface Event {
  readonly id: string
  readonly modelId: string
  readonly to: string
  readonly pqlId: string
  readonly status: string
  readonly cause: { readonly type: string }
}

/** A subscriber of tier changes and PQL events, and its view of the accounts. */
class Subscriber {
  readonly tiers = new Map<string, string>()
  /** PQL → whether it is open or held. */
  readonly pqls = new Map<string, string>()

  /** Returns whether the event is news. */
  receive({ modelId, to, pqlId, status }: Event): boolean {
    const [map, key, value] =
      pqlId === undefined
        ? ([this.tiers, modelId, to] as const)
        : ([this.pqls, pqlId, status === 'held' ? 'held' : 'open'] as const)
    const known = map.get(key)
    if (status === 'disqualified' || status === 'expired') return map.delete(key)
    map.set(key, value)
    return known !== value
  }
}

export interface PromotionContext {
  /** The namespace of the replay. */
  readonly namespace: string
  readonly areModelsOther: boolean
}

/** Checks state and publications of an installation at rest. */
export async function expectPromoted(
  installation: Installation,
  name: string,
  areModelsOther: boolean,
): Promise<void> {
  const namespace = namespaceOf(name)
  const final = foldLog(installation, topicsOf(name).signals)
  expect(statesOf(await storedAccounts(installation, namespace))).toEqual(statesOf(final.accounts))
  expect(await countersOf(installation, namespace)).toEqual(final.counters)
  const old = partAt(installation, TOPICS.signals, namespace)
  expect(statesOf(await storedAccounts(installation, LINEAGE_NAMES.namespace))).toEqual(
    statesOf(old.accounts),
  )
  expectPublished(installation, name, { namespace, areModelsOther })
}

/**
 * Compares everything published with the plain folds of both logs: the old lineage's events up to the
 * promotion, the announcements, then the new lineage's events. After its announcement a subscriber must know
 * each account as the new lineage does.
 */
export function expectPublished(
  installation: Written,
  name: string,
  { namespace, areModelsOther }: PromotionContext,
): void {
  const { broker } = installation
  const own = topicsOf(name)
  const old = partAt(installation, TOPICS.signals, namespace)
  const now = partAt(installation, own.signals, namespace)
  const final = foldLog(installation, own.signals)

  // As a shadow it published to its own topics, and nothing after that.
  expect(published(installation, own)).toEqual(publishedOf(now.before))

  const served = published(installation, TOPICS)
  const [before, after] = [publishedOf(old.before), publishedOf(now.after)]
  const ids = new Set<string>()
  const subscribers = new Map<string, Subscriber>()
  const names = new Set([...served.keys(), ...before.keys(), ...after.keys()])
  const announced = new Map<string, Event[]>()
  for (const key of names) {
    const all = served.get(key) ?? []
    const first = before.get(key) ?? []
    const last = after.get(key) ?? []
    expect(all.slice(0, first.length), `${key}: up to the promotion`).toEqual(first)
    expect(all.length, `${key}: ${all.join('\n')}`).toBeGreaterThanOrEqual(first.length + last.length)
    expect(all.slice(all.length - last.length), `${key}: after the promotion`).toEqual(last)
    announced.set(
      key,
      all.slice(first.length, all.length - last.length).map(value => JSON.parse(value)),
    )
    for (const value of all) {
      const { id } = JSON.parse(value) as Event
      expect(ids.has(id), `${key}: the id of ${value} comes once`).toBe(false)
      ids.add(id)
    }
  }
  const subscriberTo = (accountId: string): Subscriber => {
    const subscriber = subscribers.get(accountId) ?? new Subscriber()
    subscribers.set(accountId, subscriber)
    return subscriber
  }
  receiveAll(before, subscriberTo)
  // A tier is not announced if its model is removed, returns, or now has other tiers.
  for (const { id, standings } of old.accounts.values()) {
    const { tiers } = subscriberTo(id)
    tiers.clear()
    for (const { model, tier } of standings)
      tiers.set(model.definition.id, model.definition.tiers[tier]!.name)
  }
  for (const [key, news] of announced) {
    const [role, accountId] = key.split(' ') as [string, string]
    if (role === 'alerts' || !areModelsOther) expect(news, key).toEqual([])
    for (const event of news) {
      expect(event.cause).toEqual({ type: 'model' })
      expect(subscriberTo(accountId).receive(event), `${key}: ${JSON.stringify(event)} is news`).toBe(true)
    }
  }
  for (const [accountId, subscriber] of subscribers) {
    expectKnownPqls(accountId, subscriber, now.accounts)
    expectKnownTiers(accountId, subscriber, now.accounts)
  }
  receiveAll(after, subscriberTo)
  for (const [accountId, subscriber] of subscribers) {
    expectKnownPqls(accountId, subscriber, final.accounts)
    if (!now.haveModelsChanged) expectKnownTiers(accountId, subscriber, final.accounts)
  }

  expectScores(installation, final.accounts)
  expect(broker.all(TOPICS['dead-letter']).length).toBe(old.rejectedBefore + now.rejectedAfter)
  expect(broker.all(own['dead-letter']).length).toBe(now.rejectedBefore)
}

function receiveAll(events: Published, subscriberTo: (accountId: string) => Subscriber): void {
  for (const [key, values] of events) {
    const [role, accountId] = key.split(' ') as [string, string]
    if (role !== 'alerts') for (const value of values) subscriberTo(accountId).receive(JSON.parse(value))
  }
}

type Accounts = ReadonlyMap<string, Account>

function expectKnownPqls(accountId: string, { pqls }: Subscriber, accounts: Accounts): void {
  const states = (accounts.get(accountId)?.standings ?? []).flatMap(({ triggers }) => triggers)
  const stored = states.flatMap(state =>
    state.status === 'idle' ? [] : [[state.pqlId, state.status] as const],
  )
  expect(pqls, `the PQLs of ${accountId}`).toEqual(new Map(stored))
}

function expectKnownTiers(accountId: string, { tiers }: Subscriber, accounts: Accounts): void {
  for (const { model, tier } of accounts.get(accountId)?.standings ?? []) {
    const { id, tiers: all } = model.definition
    const known = tiers.get(id) ?? all[0]!.name
    expect(known, `the tier of ${accountId} under ${id}`).toBe(all[tier]!.name)
  }
}

/** Each account's newest record of the scores. */
function expectScores({ broker }: Written, accounts: ReadonlyMap<string, Account>): void {
  const newest = new Map<string, unknown>()
  for (const { key, value } of broker.all(topicNames('')['account-scores'])) {
    const { scores } = JSON.parse(String(value)) as { scores: Record<string, unknown>[] }
    newest.set(
      String(key),
      scores.map(({ modelId, modelVersion, score, tier }) => ({ modelId, modelVersion, score, tier })),
    )
  }
  for (const { id, standings } of accounts.values()) {
    const scores = standings.map(({ model: { definition }, score, tier }) => ({
      modelId: definition.id,
      modelVersion: definition.version,
      score,
      tier: definition.tiers[tier]!.name,
    }))
    expect(newest.get(id), `the newest scores of ${id}`).toEqual(scores)
  }
}
