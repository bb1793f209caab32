import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Backend } from '../../../src/consumers/backend.ts'
import { AccountCache } from '../../../src/consumers/scorer/account-cache.ts'
import { PendingCommits } from '../../../src/consumers/scorer/pending-commits.ts'
import type { OwnedPartition } from '../../../src/consumers/scorer/take-partition.ts'
import { Ticker } from '../../../src/consumers/scorer/ticker.ts'
import { Unsaved } from '../../../src/consumers/scorer/unsaved.ts'
import type { OutgoingRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../../src/models/model-library.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { ScannedSignals } from '../../../src/signals/scanned-signals.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const HOUR_MS = 3_600_000
const SOURCE = { file: 'rolling', text: readFileSync('bench/rolling-score.yaml', 'utf8') }

/** A ticker of one partition that was read up to offset 3 of 5, and has an empty store. */
function startTicker(models: readonly ModelSource[]) {
  const clock = { now: NOW }
  const appended: (string | undefined)[] = []
  let interval = (): void => {}
  const log = {
    append: async (records: readonly OutgoingRecord[]) => {
      appended.push(...records.map(({ headers }) => headers?.['upswell-record']?.toString()))
      return records.map((_, i) => ({ partition: 0, offset: 5 + i }))
    },
  }
  const session = {
    topic: 'signals',
    partition: 0,
    committedOffset: 3,
    firstOffset: 0,
    endOffset: 5,
    commit: async () => {},
    lose: () => {},
  }
  const owned: OwnedPartition = {
    session,
    fencingToken: 'owner',
    memory: createPartitionMemory(),
    savedMemory: createPartitionMemory(),
    cache: new AccountCache(),
    signals: new ScannedSignals(),
    unsaved: new Unsaved(),
    commits: new PendingCommits(session),
    checkpoints: undefined,
    taken: { storedOffset: 3, published: 3 },
    storedOffset: 3,
    position: 3,
    published: 3,
    flushedAt: 0,
    scoredAt: 0,
    turn: Promise.resolve(),
  }
  const ticker = new Ticker(
    {
      backend: { log, store: new MemoryStore() } as unknown as Backend,
      topics: topicNames(''),
      library: new ModelLibrary(),
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      onScored: () => {},
      group: 'score',
      batchSize: 100,
      models,
      now: () => clock.now,
      tickIntervalMs: 1000,
      every: (_, call) => {
        interval = call
        return () => {}
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
  return { clock, appended, passInterval }
}

test('a store that is emptied while no record comes gets a tick, for the loop to notice', async () => {
  const { appended, passInterval } = startTicker([])
  await passInterval()
  expect(appended).toEqual(['tick'])
})

test('a clock that is set back does not keep the configured models waiting', async () => {
  const { clock, appended, passInterval } = startTicker([SOURCE])
  clock.now = NOW - HOUR_MS
  await passInterval()
  expect(appended).toEqual(['models', 'tick'])
})
