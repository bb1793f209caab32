import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import type { Backend } from '../../../src/consumers/backend.ts'
import { unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import { startScoring } from '../../../src/consumers/scorer/score-partitions.ts'
import type { TickerOptions } from '../../../src/consumers/scorer/ticker.ts'
import { TrustedClock } from '../../../src/lib/trusted-clock.ts'
import { decodeRecord } from '../../../src/log/decode-signals-topic.ts'
import type { Position } from '../../../src/log/log.ts'
import { signalRecord } from '../../../src/log/signals-topic-records.ts'
import type { TopicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import type { Account } from '../../../src/scoring/account.ts'
import { decodeAccount, encodeAccount } from '../../../src/scoring/codec/codec.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { DAY_MS } from '../../../src/signals/time.ts'

export interface TimeRun {
  readonly backend: Backend
  readonly topics: TopicNames
}

const QUIET = { info: () => {}, warn: () => {}, error: () => {} }
const MODELS = [
  { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') },
]
/** All times are so far in the past: Kafka refuses times that are ahead of its own clock. */
const AGO_MS = 1_200 * DAY_MS
const PARTITION = 0
const TICK_INTERVAL_MS = 20
/** So many names are enough for the second tier. */
const NAMES = 8

/** One partition, scored while the clock is what a test makes it. */
class Run {
  readonly backend: Backend
  readonly #topic: string
  readonly #library = new ModelLibrary()
  #sent = 0

  constructor({ backend, topics }: TimeRun) {
    this.backend = backend
    this.#topic = topics.signals
  }

  async scoring<T>(
    topics: TopicNames,
    ticks: Omit<TickerOptions, 'intervalMs' | 'models'>,
    work: () => Promise<T>,
  ) {
    const scoring = await startScoring({
      backend: this.backend,
      publication: alwaysServing(topics),
      library: this.#library,
      logger: QUIET,
      shares: unlimitedShares(),
      onScored: () => {},
      source: { topic: this.#topic, group: 'score', batchSize: 100 },
      ticks: { ...ticks, models: MODELS, intervalMs: TICK_INTERVAL_MS },
    })
    try {
      while (scoring.assignments().length < 1 || !scoring.modelsActive()) await sleep(10)
      return await work()
    } finally {
      await scoring.stop()
    }
  }

  /** Sends signals of one account, and waits until they are in the store. */
  async send(
    accountId: string,
    count: number,
    time: number,
    clock: 'wall' | 'event' = 'wall',
  ): Promise<void> {
    const records = Array.from({ length: count }, (_, i) => {
      const signal: Signal = {
        id: `s-${this.#sent++}`,
        kind: 'usage',
        name: `report.${i % NAMES}`,
        accountId,
        userId: 'u',
        quantityThousandths: 1000,
        properties: {},
        occurredAt: time,
      }
      return signalRecord(this.#topic, signal, time, clock)
    })
    await this.#untilStored(await this.backend.log.append(records))
  }

  async #untilStored(positions: readonly Position[]): Promise<void> {
    const last = Math.max(...positions.map(({ offset }) => offset))
    while ((await this.backend.store.readStoredOffset(PARTITION)) <= last) await sleep(10)
  }

  async account(accountId: string): Promise<Account> {
    const { store } = this.backend
    // The state is read first: accounts are never behind it for long.
    const { state } = await store.readPartition(PARTITION)
    const [bytes] = await store.load(PARTITION, [accountId])
    return decodeAccount(accountId, bytes!, decodePartitionMemory(state, this.#library).modelSets)
  }

  async clockOf(accountId: string): Promise<number> {
    return (await this.account(accountId)).activity.clock
  }

  async untilClock(accountId: string, time: number): Promise<void> {
    while ((await this.clockOf(accountId)) < time) await sleep(10)
  }

  /** The accounts as the log alone gives them. */
  async folded(): Promise<Map<string, Account>> {
    const memory = createPartitionMemory()
    const accounts = new Map<string, Account>()
    for await (const record of this.backend.log.readAll(this.#topic)) {
      const decoded = decodeRecord(record, { library: this.#library, partitions: 1 })
      if ('entry' in decoded) foldBatch([decoded.entry], memory, accounts)
    }
    return accounts
  }
}

function countOf({ activity }: Account): number {
  let count = 0
  for (const { days } of activity.series.list) for (let i = 0; i < days.length; i++) count += days.count(i)
  return count
}

/** One old line of history comes on a live system: once for a new account, once for a live one. */
export async function runOneOldLine(options: TimeRun): Promise<void> {
  const run = new Run(options)
  const start = Date.now() - AGO_MS
  const then = start - 300 * DAY_MS
  let now = start
  await run.scoring(options.topics, { now: () => now }, async () => {
    for (const id of ['acme', 'bolt']) await run.send(id, 12, start)
    const tier = async (id: string) => (await run.account(id)).standings[0]!.tier
    expect(await tier('bolt')).toBeGreaterThan(0)
    await run.send('new', 12, then, 'event')
    await run.send('acme', 1, start - 3 * DAY_MS, 'event')
    now = start + 60 * DAY_MS
    for (const id of ['acme', 'bolt']) await run.untilClock(id, start + 29 * DAY_MS)
    expect([await tier('acme'), await tier('bolt')]).toEqual([0, 0])
    expect(await run.clockOf('new')).toBe(then)
    expect(await tier('new')).toBeGreaterThan(0)
  })
}

/**
 * A clock jumps ahead, back, and is right again; signals come all the time. Each counts, and the log alone
 * gives the same accounts.
 */
export async function runJumpingClock(options: TimeRun): Promise<void> {
  const run = new Run(options)
  let jumpMs = 0
  const clock = new TrustedClock(
    {
      wall: () => Date.now() - AGO_MS + jumpMs,
      monotonic: () => performance.now(),
      reference: async () => {
        const time = await run.backend.store.time()
        return time === undefined ? undefined : time - AGO_MS
      },
    },
    QUIET,
  )
  await clock.check()
  const { now, isInDoubt } = clock
  await run.scoring(options.topics, { now, isInDoubt }, async () => {
    await run.send('acme', 5, now())
    for (const jump of [500 * DAY_MS, -500 * DAY_MS, 500 * DAY_MS]) {
      jumpMs = jump
      for (let i = 0; i < 5; i++) {
        await clock.check()
        await sleep(2 * TICK_INTERVAL_MS)
      }
      expect(Math.abs(clock.aheadMs() - jump)).toBeLessThan(1_000)
      await run.send('acme', 1, now())
      jumpMs = 0
      await clock.check()
      expect(clock.isInDoubt()).toBe(false)
      await run.send('acme', 12, now())
    }
  })
  const account = await run.account('acme')
  expect(countOf(account)).toBe(5 + 3 * 13)
  expect(Math.abs(account.activity.clock + AGO_MS - Date.now())).toBeLessThan(10 * 60_000)
  const folded = (await run.folded()).get('acme')!
  expect(Buffer.from(encodeAccount(folded)).equals(Buffer.from(encodeAccount(account)))).toBe(true)
}
