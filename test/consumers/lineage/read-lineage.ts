import type { LogRecord } from '../../../src/log/log.ts'
import { eventRecord } from '../../../src/log/output-records.ts'
import { type TopicNames, topicNames } from '../../../src/log/topic-names.ts'
import type { ModelLibrary } from '../../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import type { Account } from '../../../src/scoring/account.ts'
import { decodeAccount, encodeAccount } from '../../../src/scoring/codec/codec.ts'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import type { FoldedEvent } from '../../../src/scoring/fold.ts'
import { EVENT_TOPICS } from '../../support/event-topics.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { type Installation, LINEAGE_NAMES } from './installation.ts'
import type { MemoryBroker } from './memory-broker.ts'

/** Topics, and the models in them. */
export interface Written {
  readonly broker: MemoryBroker
  readonly library: ModelLibrary
}

/** Topic and account → values, in order. */
export type Published = ReadonlyMap<string, readonly string[]>

/** The published values on the topics of a lineage. */
export function published({ broker }: Written, topics: TopicNames): Published {
  const values = new Map<string, string[]>()
  for (const role of EVENT_TOPICS)
    for (const { key, value } of broker.all(topics[role])) add(values, `${role} ${key}`, String(value))
  return sorted(values)
}

export function publishedOf(events: readonly FoldedEvent[]): Published {
  const topics = topicNames('')
  const values = new Map<string, string[]>()
  for (const { event } of events) {
    const { topic, key, value } = eventRecord(topics, event, '')
    add(values, `${topic} ${key}`, String(value))
  }
  return sorted(values)
}

export interface FoldedLog {
  readonly events: readonly FoldedEvent[]
  readonly accounts: ReadonlyMap<string, Account>
  readonly rejected: number
  /** Counters of the population by name, without those at 0. */
  readonly counters: ReadonlyMap<string, number>
}

/** The result of a whole log, folded from its beginning, partition by partition. */
export function foldLog(
  installation: Written,
  topic: string,
  isOne: (record: LogRecord) => boolean = () => true,
): FoldedLog {
  const { broker, library } = installation
  const events: FoldedEvent[] = []
  const accounts = new Map<string, Account>()
  const counters = new Map<string, number>()
  let rejected = 0
  for (let partition = 0; partition < broker.partitions(topic); partition++) {
    const fold = foldPlainly(
      broker.records(topic, partition).filter(isOne),
      library,
      broker.partitions(topic),
    )
    events.push(...fold.events)
    for (const account of fold.accounts.values()) accounts.set(account.id, account)
    rejected += fold.rejected.length
    for (const [name, value] of fold.contents) {
      const counter = /^counter (.*)$/s.exec(name)?.[1]
      if (counter !== undefined) counters.set(counter, (counters.get(counter) ?? 0) + Number(value))
    }
  }
  return { events, accounts, rejected, counters: withoutZeros(counters) }
}

/** A lineage's accounts in the store, by id. */
export async function storedAccounts(
  installation: Installation,
  namespace: string,
): Promise<Map<string, Account>> {
  const store = installation.store(namespace)
  const buckets = Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)
  const accounts = new Map<string, Account>()
  for (let partition = 0; partition < (await store.partitions())!; partition++) {
    const { state } = await store.readPartition(partition)
    const memory = decodePartitionMemory(state, installation.library)
    const ids = await store.due(partition, buckets, Number.POSITIVE_INFINITY)
    for (const [i, bytes] of (await store.load(partition, ids)).entries())
      accounts.set(ids[i]!, decodeAccount(ids[i]!, bytes!, memory.modelSets))
  }
  return accounts
}

/** Accounts as text, without offsets: these differ from log to log. */
export function statesOf(accounts: ReadonlyMap<string, Account>): Map<string, string> {
  return sorted(
    new Map(
      [...accounts.values()].map(account => {
        const historyOffset = Math.min(account.historyOffset, 0)
        const bytes = encodeAccount({ ...account, lastOffset: 0, modelsOffset: 0, historyOffset })
        return [account.id, Buffer.from(bytes).toString('hex')]
      }),
    ),
  )
}

/** All counters of a lineage, over its partitions. */
export async function countersOf(
  installation: Installation,
  namespace: string,
): Promise<Map<string, number>> {
  const store = installation.store(namespace)
  const sums = new Map<string, number>()
  for (let partition = 0; partition < (await store.partitions())!; partition++)
    for (const { book, field, delta } of await store.readPartitionCounters(partition)) {
      const key = `${book} ${field}`
      sums.set(key, (sums.get(key) ?? 0) + delta)
    }
  return withoutZeros(sums)
}

function withoutZeros(counters: ReadonlyMap<string, number>): Map<string, number> {
  return sorted(new Map([...counters].filter(([, count]) => count !== 0)))
}

export function namespaceOf(name: string): string {
  return `${LINEAGE_NAMES.namespace}/${name}`
}

function add(values: Map<string, string[]>, key: string, value: string): void {
  const list = values.get(key) ?? []
  list.push(value)
  values.set(key, list)
}

function sorted<T>(map: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}
