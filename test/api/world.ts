import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { RequestsUnderWay } from '../../src/api/plugins/requests-under-way.ts'
import { servedFrom } from '../../src/api/read/served.ts'
import { type ApiDependencies, createApi } from '../../src/api/server.ts'
import { ByteQuota } from '../../src/lib/byte-quota.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { encodePartitionMemory } from '../../src/models/partition-memory-codec.ts'
import type { Account } from '../../src/scoring/account.ts'
import { ByteWriter } from '../../src/scoring/codec/bytes.ts'
import { writeChunks } from '../../src/scoring/codec/chunk-codec.ts'
import { encodeAccount } from '../../src/scoring/codec/codec.ts'
import { dueBucketOf } from '../../src/scoring/due-slices.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory, type PartitionMemory } from '../../src/scoring/partition-memory.ts'
import { CounterChanges } from '../../src/scoring/population/counters.ts'
import {
  compileRates,
  countShares,
  type RateShare,
  rateShares,
} from '../../src/scoring/population/rate-cells.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { type Listing, listName, type UserChunkWrite } from '../../src/store/store.ts'
import { silent } from '../support/log-handlers.ts'
import { MemoryStore } from '../support/memory-store.ts'

/** 2026-11-22T10:00:00Z, a Sunday. */
export const NOW = Date.UTC(2026, 10, 22, 10)
export const DAY_MS = 86_400_000

/** Two groups, a rule for each policy on missing inputs, a gate, two triggers. */
export const GROWTH = `
id: growth
version: 3
name: Growth
score: { scale: 10, max: 100 }
features:
  activeUsers: { distinctUsers: { within: 30d } }
  invites: { count: { of: usage, names: seat.invited, within: 30d } }
  seats: { latest: contract.seats }
  utilization: { ratio: [activeUsers, seats] }
  nps: { latest: health.nps }
groups:
  usage:
    weight: 0.6
    max: 10
    rules:
      breadth:
        title: Users per seat
        missing: exclude
        line: { of: utilization, corners: [[0, 0], [1, 8]] }
      inviting:
        of: invites
        bands: [{ from: 1, points: 2 }, { from: 3, points: 4 }]
  mood:
    weight: 0.4
    max: 10
    rules:
      satisfaction: { when: nps >= 50, points: 10, missing: 5 }
tiers:
  - { name: cold, from: 0 }
  - { name: warm, from: 30, action: Send the benefits mail }
  - { name: hot, from: 70, action: Call the sponsor }
gates:
  content: { title: Customer is content, open: nps >= 0, missing: open }
triggers:
  seats-full:
    motion: seat-expansion
    when: utilization >= 0.8
    cooldown: 7d
    expiry: 30d
    reason: '{utilization%} of the seats are used'
    play: [Offer ten more seats, Ask for the budget]
    decisionTimeline: two weeks
  inviting:
    motion: plan-upgrade
    when: invites >= 3
    gates: []
    cooldown: 7d
    expiry: 30d
    reason: '{invites} invites in 30 days'
`

/** `GROWTH` with a rate by stage and region, and key figures. */
export const POPULATION = `${GROWTH}
rates:
  invitation-rate:
    title: Accounts that invite
    of: usage
    names: seat.invited
    by:
      stage: { of: traits.stage, values: [trial, paid] }
      region: { of: traits.region, values: [emea] }
kpis:
  csm: traits.csm
  measures:
    won: { count: deal.won }
    wonBefore: { count: deal.won, over: before }
    revenue: { sum: deal.won, property: amount }
    bySales: { count: deal.won, where: { channel: [sales] } }
    qualified: { pqls: created }
    arrived: { accounts: seen }
    quota: { fixed: 1000 }
  metrics:
    conversion: { title: Deals won per PQL, formula: won / qualified * 100, unit: percent, target: '>= 50' }
    attainment: { formula: revenue / quota, unit: ratio, target: '> 2' }
    new-accounts: { formula: arrived, unit: count }
`

/** A second model with a dwell. Its id sorts before growth. */
export const FIT = `
id: fit
version: 1
name: Fit
score: { scale: 1, max: 10 }
features:
  employees: { latest: traits.employees }
groups:
  size:
    weight: 1
    max: 10
    rules:
      employees: { of: employees, bands: [{ from: 100, points: 10 }] }
tiers:
  - { name: poor, from: 0, action: Leave it }
  - { name: good, from: 5, action: Look at it }
tierPolicy: { dwell: 7d }
`

/** A signal of `accountId`: usage of `seat.invited`, changed by `parts`. */
export function signal(accountId: string, parts: Partial<Signal> = {}): Signal {
  return {
    id: `${accountId}-${parts.kind ?? 'usage'}-${parts.userId ?? ''}-${parts.occurredAt ?? NOW}`,
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW,
    ...parts,
  }
}

/** A log, its scorer, and the API on their store, all in this process. */
export class World {
  readonly store = new MemoryStore()
  readonly library = new ModelLibrary()
  readonly metrics = new Registry()
  readonly requests = new RequestsUnderWay()
  readonly appended: { readonly signals: readonly Signal[]; readonly observedAt: number }[] = []
  readonly partitionCount: number
  readonly api: FastifyInstance
  /** False: appended signals are scored only by `foldLog`. */
  foldsAtOnce = true
  problems: string[] = []
  readonly #partitions: WorldPartition[]
  #owners = 0

  private constructor(partitionCount: number, overrides: Partial<ApiDependencies>) {
    this.partitionCount = partitionCount
    this.#partitions = Array.from({ length: partitionCount }, () => ({
      log: [],
      published: 0,
      ...emptyPartition('world'),
    }))
    this.api = createApi({
      served: servedFrom(
        () => ({ store: this.store, publishedOffsets: async () => this.publishedOffsets() }),
        this.library,
      ),
      appendSignals: async (signals, observedAt) => {
        this.appended.push({ signals, observedAt })
        return await this.append(signals, observedAt)
      },
      endOfLog: partition => this.endOfLog(partition),
      requests: this.requests,
      memory: new ByteQuota(64 * 1024 * 1024),
      problems: async () => this.problems,
      metrics: this.metrics,
      now: () => NOW,
      logger: silent,
      ...overrides,
    })
  }

  static async create(
    models: readonly string[],
    { partitions = 4, ...overrides }: Partial<ApiDependencies> & { partitions?: number } = {},
  ): Promise<World> {
    const world = new World(partitions, overrides)
    await world.store.claimPartitions(partitions)
    for (let partition = 0; partition < partitions; partition++) await world.store.fence(partition, 'world')
    if (models.length > 0) await world.switchModels(models, NOW - 60 * DAY_MS)
    await world.api.ready()
    return world
  }

  partitionOf(accountId: string): number {
    return partitionOf(accountId, this.partitionCount)
  }

  /** Appends a models record to each partition. */
  async switchModels(texts: readonly string[], at: number): Promise<void> {
    const models = this.library.compileAll(texts.map((text, i) => ({ file: `model-${i}.yaml`, text })))
    for (const { log } of this.#partitions) log.push({ type: 'models', offset: log.length, at, models })
    if (this.foldsAtOnce) await this.foldLog()
  }

  async append(
    signals: readonly Signal[],
    timestamp = NOW,
  ): Promise<{ readonly partition: number; readonly offset: number }[]> {
    const positions = signals.map(each => {
      const partition = this.partitionOf(each.accountId)
      const { log } = this.#partitions[partition]!
      const offset = log.length
      log.push({ type: 'signal', offset, timestamp, signal: each, history: false })
      return { partition, offset }
    })
    if (this.foldsAtOnce) await this.foldLog()
    return positions
  }

  async endOfLog(partition: number): Promise<number | undefined> {
    return this.#partitions[partition]?.log.length
  }

  /** As the log's group has them. */
  publishedOffsets(): Map<number, number> {
    const scored = [...this.#partitions.entries()].filter(([, { published }]) => published > 0)
    return new Map(scored.map(([partition, { published }]) => [partition, published]))
  }

  /** A new owner takes the partition, empties it, and folds its log again up to an offset. */
  async refill(partition: number, to = 0): Promise<void> {
    const own = this.#partitions[partition]!
    Object.assign(own, emptyPartition(`owner-${++this.#owners}`))
    await this.store.claimPartitions(this.partitionCount)
    await this.store.fence(partition, own.owner, own.published)
    await this.store.clear(partition, own.owner)
    await this.#foldPartition(partition, own, to)
  }

  async refillAll(): Promise<void> {
    for (const [partition, { log }] of this.#partitions.entries()) await this.refill(partition, log.length)
  }

  async foldLog(): Promise<void> {
    for (const [index, partition] of this.#partitions.entries())
      await this.#foldPartition(index, partition, partition.log.length)
  }

  async #foldPartition(index: number, partition: WorldPartition, to: number): Promise<void> {
    const { log, folded, memory, accounts } = partition
    if (folded === to) return
    const { touched, counts } = foldBatch(log.slice(folded, to), memory, accounts)
    const changes = new CounterChanges()
    for (const account of touched) {
      const shares = rateShares(account, compileRates)
      countShares(partition.shares.get(account.id) ?? [], shares, changes)
      partition.shares.set(account.id, shares)
    }
    await this.store.save(index, {
      fencingToken: partition.owner,
      expectedStoredOffset: folded,
      storedOffset: to,
      state: encodePartitionMemory(memory, this.library),
      accounts: [...touched].map(account => {
        const listingsRemoved = partition.listings.get(account.id) ?? []
        const listingsAdded = listingsOf(account)
        partition.listings.set(account.id, listingsAdded)
        return {
          accountId: account.id,
          bytes: encodeAccount(account),
          bucket: dueBucketOf(account.id),
          dueAt: account.dueAt,
          listingsRemoved,
          listingsAdded,
        }
      }),
      userChunks: [...touched].flatMap(chunksOf),
      counters: [...counts, ...changes.list()],
    })
    partition.folded = to
    partition.published = Math.max(partition.published, to)
  }
}

interface WorldPartition {
  readonly log: LogEntry[]
  /** The scores of all records before it were published once. */
  published: number
  /** The fencing token. */
  owner: string
  folded: number
  readonly memory: PartitionMemory
  readonly accounts: Map<string, Account>
  readonly listings: Map<string, Listing[]>
  readonly shares: Map<string, readonly RateShare[]>
}

function emptyPartition(owner: string): Omit<WorldPartition, 'log' | 'published'> {
  return {
    owner,
    folded: 0,
    memory: createPartitionMemory(),
    accounts: new Map(),
    listings: new Map(),
    shares: new Map(),
  }
}

function chunksOf(account: Account): UserChunkWrite[] {
  const chunks: UserChunkWrite[] = []
  writeChunks(account, new ByteWriter(), (chunk, bytes) =>
    chunks.push({ accountId: account.id, chunk, bytes }),
  )
  return chunks
}

function listingsOf({ id, standings }: Account): Listing[] {
  return standings.flatMap(({ model: { definition }, tier, score, facets }) => {
    const rank = { tier: definition.tiers[tier]!.name, score, accountId: id }
    const inFacets = facets.flatMap((value, i) =>
      value === undefined ? [] : [listName(definition.id, { name: definition.facets[i]!.name, value })],
    )
    return [listName(definition.id), ...inFacets].map(list => ({ list, ...rank }))
  })
}
