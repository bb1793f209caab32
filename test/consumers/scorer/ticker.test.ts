import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import { Ticker } from '../../../src/consumers/scorer/ticker.ts'
import type { Log, OutgoingRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../../src/models/model-library.ts'
import { HISTORY_DUE } from '../../../src/scoring/history.ts'
import { createPartitionMemory, endHistory } from '../../../src/scoring/partition-memory.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const HOUR_MS = 3_600_000
const TOPICS = topicNames('')
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }

/**
 * A ticker of one partition, with offset 3 of 5 read, and an empty store. `whileRead` runs when the ticker
 * reads the stored offset, and returns the answer.
 */
function startTicker(
  models: readonly ModelSource[],
  whileRead?: (offsets: { folded: number; stored: number }) => number,
  accounts?: number,
) {
  const clock = { now: NOW, isInDoubt: false }
  const appended: (string | undefined)[] = []
  const records: OutgoingRecord[] = []
  const values: string[] = []
  let interval = (): void => {}
  const log = {
    append: async (outgoing: readonly OutgoingRecord[]) => {
      records.push(...outgoing)
      values.push(...outgoing.map(({ value }) => String(value)))
      appended.push(...outgoing.map(({ headers }) => headers?.['upswell-record']?.toString()))
      return outgoing.map((_, i) => ({ partition: 0, offset: owned.session.endOffset + i }))
    },
  }
  const owned = {
    session: { partition: 0, endOffset: 5 },
    memory: createPartitionMemory(),
    offsets: { folded: 3, stored: 3 },
    isCheckpointWaiting: false,
  }
  const store = new MemoryStore()
  if (accounts !== undefined) store.countDue = async () => accounts
  if (whileRead !== undefined) store.readStoredOffset = async () => whileRead(owned.offsets)
  const ticker = new Ticker(
    {
      backend: { log: log as Pick<Log, 'append'> as Log, store },
      publication: alwaysServing(TOPICS),
      source: { topic: TOPICS.signals },
      library: new ModelLibrary(),
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      ticks: {
        models,
        now: () => clock.now,
        isInDoubt: () => clock.isInDoubt,
        intervalMs: 1000,
        every: (_, call) => {
          interval = call
          return () => {}
        },
      },
    },
    new Map([[0, owned]]),
  )
  ticker.start()
  ticker.look(0)
  const passTurn = () => new Promise(resolve => setImmediate(resolve))
  const passInterval = async (): Promise<void> => {
    await passTurn()
    interval()
    await passTurn()
  }
  return { clock, appended, records, values, owned, store, ticker, passTurn, passInterval }
}

test('appends a tick when the store is emptied while no record comes, so that the loop notices', async () => {
  const { appended, passInterval } = startTicker([])
  await passInterval()
  expect(appended).toEqual(['tick'])
})

test('appends no tick when a flush moves the store while its offset is read', async () => {
  const { appended, passInterval } = startTicker([], offsets => {
    const before = offsets.stored
    offsets.folded = 4
    offsets.stored = 4
    return before
  })
  await passInterval()
  expect(appended).toEqual([])
})

test('appends the configured models even if the clock was set back', async () => {
  const { clock, appended, passInterval } = startTicker([SOURCE])
  clock.now = NOW - HOUR_MS
  await passInterval()
  expect(appended).toEqual(['models', 'tick'])
})

/** The slices of ticks, as `SLICE of OF SCOPE`. */
function slicesOf(records: readonly OutgoingRecord[]): string[] {
  return records
    .filter(({ headers }) => headers?.['upswell-record'] === 'tick')
    .map(({ value }) => JSON.parse(String(value)))
    .map(({ slice, of, scope }) => `${slice} of ${of} ${scope}`)
}

test.each([
  [250, 1],
  [251, 2],
  [1_100, 8],
])('after new models, ticks bring all %i accounts past them, in %i slices', async (accounts, of) => {
  const { clock, records, passInterval } = startTicker([SOURCE], undefined, accounts)
  clock.now = NOW - HOUR_MS
  await passInterval()
  expect(records[0]!.headers).toEqual({ 'upswell-record': 'models' })
  expect(slicesOf(records)).toEqual(Array.from({ length: of }, (_, slice) => `${slice} of ${of} all`))
  expect(records).toHaveLength(1 + of)
  expect(new Set(records.map(({ timestamp }) => timestamp))).toEqual(new Set([clock.now]))
})

test.each([
  [250, 1],
  [251, 2],
  [1_100, 8],
])(
  'ticks make all %i due accounts due, in %i slices, each after the one before is folded',
  async (accounts, of) => {
    const { records, owned, ticker, passTurn, passInterval } = startTicker([], () => 3, accounts)
    await passInterval()
    for (let slices = 1; slices <= of; slices++) {
      expect(slicesOf(records)).toHaveLength(slices)
      // Nothing is appended before the tick is folded.
      ticker.look(0)
      await passTurn()
      expect(slicesOf(records)).toHaveLength(slices)
      owned.offsets.folded = owned.session.endOffset + 1
      owned.session.endOffset++
      ticker.look(0)
      await passTurn()
    }
    expect(slicesOf(records)).toEqual(Array.from({ length: of }, (_, slice) => `${slice} of ${of} due`))
  },
)
describe('ticks', () => {
  /** A ticker without models to write, and with a store in which so many accounts are due at a time. */
  async function withAccounts(count: number, dueAt: number) {
    const ticker = startTicker([], offsets => offsets.stored)
    await ticker.store.fence(0, 'me')
    await ticker.store.save(0, {
      ...{ fencingToken: 'me', expectedStoredOffset: 0, storedOffset: 3, state: undefined },
      ...{ userChunks: [], counters: [] },
      accounts: Array.from({ length: count }, (_, i) => ({
        ...{ accountId: `a-${i}`, bytes: new Uint8Array(), bucket: i % 256, dueAt },
        ...{ listingsRemoved: [], listingsAdded: [] },
      })),
    })
    return ticker
  }
  const passAll = async ({ passInterval, owned, appended }: ReturnType<typeof startTicker>) => {
    for (let i = 0; i < 10; i++) {
      await passInterval()
      owned.offsets.folded = 6
    }
    return appended.length
  }

  test('are not written for accounts in history, until a live record releases them, slice by slice', async () => {
    const ticker = await withAccounts(600, HISTORY_DUE.from + 1)
    expect(await passAll(ticker)).toBe(0)
    endHistory(ticker.owned.memory, { offset: 5, slices: 1 })
    for (let i = 0; i < 4; i++) {
      await ticker.passInterval()
      ticker.owned.offsets.folded = 6
    }
    const slices = ticker.values.map(value => JSON.parse(value) as { slice: number; of: number })
    expect(slices.map(({ slice, of }) => `${slice} of ${of}`)).toEqual([
      '0 of 4',
      '1 of 4',
      '2 of 4',
      '3 of 4',
    ])
  })

  test('are written after a live record even if no account is left, so that the release ends', async () => {
    const ticker = await withAccounts(0, 0)
    endHistory(ticker.owned.memory, { offset: 5, slices: 1 })
    await ticker.passInterval()
    expect(ticker.appended).toEqual(['tick'])
  })

  test('have as many slices after a live record as it says, though the store knows of fewer accounts', async () => {
    const ticker = await withAccounts(1, HISTORY_DUE.from + 1)
    endHistory(ticker.owned.memory, { offset: 5, slices: 8 })
    await ticker.passInterval()
    expect(JSON.parse(ticker.values[0]!)).toMatchObject({ slice: 0, of: 8 })
  })

  test('wait while the clock is in doubt', async () => {
    const ticker = await withAccounts(1, NOW - HOUR_MS)
    ticker.clock.isInDoubt = true
    expect(await passAll(ticker)).toBe(0)
    ticker.clock.isInDoubt = false
    expect(await passAll(ticker)).toBeGreaterThan(0)
  })

  test('do not wait for the clock when the store was lost', async () => {
    const ticker = startTicker([])
    ticker.clock.isInDoubt = true
    await ticker.passInterval()
    expect(ticker.appended).toEqual(['tick'])
  })
})
