import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Backend } from '../../src/consumers/backend.ts'
import type { LogRecord, OutgoingRecord, PartitionSession } from '../../src/consumers/log.ts'
import { modelsRecord, signalRecord } from '../../src/consumers/log-entries.ts'
import { type ScoreOptions, scoreRecords } from '../../src/consumers/score-partition.ts'
import { type OwnedPartition, takePartition } from '../../src/consumers/take-partition.ts'
import { topicNames } from '../../src/consumers/topics.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/scoring/signal.ts'
import { MemoryStore } from '../support/memory-store.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const SOURCE = { file: 'rolling', text: readFileSync('bench/rolling-score.yaml', 'utf8') }
const topics = topicNames('')

function logRecord(offset: number, { key, value, headers, timestamp }: OutgoingRecord): LogRecord {
  const bytes = (text: string | Buffer | null): Buffer | null => (text === null ? null : Buffer.from(text))
  return {
    topic: topics.signals,
    partition: 0,
    offset,
    timestamp: timestamp!,
    key: bytes(key),
    value: bytes(value),
    headers: Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(text)]),
    ),
  }
}

function signal(id: string, accountId: string): Signal {
  return {
    id,
    kind: 'usage',
    name: id,
    accountId,
    userId: 'u',
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW,
  }
}

async function takeWithKnownAccount() {
  const store = new MemoryStore()
  const committed: OutgoingRecord[][] = []
  const session: PartitionSession = {
    topic: topics.signals,
    partition: 0,
    committedOffset: 0,
    firstOffset: 0,
    endOffset: 1_000,
    commit: async records => {
      committed.push([...records])
    },
    lose: () => {},
  }
  const backend = {
    store,
    commitBatch: async (_, { outputs, nextOffset, metadata, write }) => {
      await session.commit(outputs, nextOffset, metadata)
      await store.save(0, write)
    },
  } as Pick<Backend, 'store' | 'commitBatch'> as Backend
  const logger = { info: () => {}, warn: () => {}, error: () => {} }
  const options: ScoreOptions = { backend, topics, library: new ModelLibrary(), logger, onScored: () => {} }
  const take = (): Promise<OwnedPartition> => takePartition(options, session, 'owner')
  const owned = await take()
  await scoreRecords(options, owned, [
    logRecord(0, modelsRecord(topics.signals, 0, NOW, [SOURCE])),
    logRecord(1, signalRecord(topics.signals, signal('a', 'known'), NOW)),
  ])
  expect(committed).toHaveLength(1)
  return { store, committed, options, owned, take }
}

test('a store that was emptied under its owner decides no output', async () => {
  const { store, committed, options, owned } = await takeWithKnownAccount()
  store.empty()
  const next = [logRecord(2, signalRecord(topics.signals, signal('b', 'not-in-the-cache'), NOW))]
  await expect(scoreRecords(options, owned, next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(1)
})

test('nor does one that is asked for users only', async () => {
  const { store, committed, options, take } = await takeWithKnownAccount()
  const owned = await take()
  const nobody = { ...signal('b', 'known'), userId: undefined }
  await scoreRecords(options, owned, [logRecord(2, signalRecord(topics.signals, nobody, NOW))])
  expect(committed).toHaveLength(2)
  store.empty()
  const next = [logRecord(3, signalRecord(topics.signals, signal('c', 'known'), NOW))]
  await expect(scoreRecords(options, owned, next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(2)
})

test('the users that were asked for count as unsaved until they are written', async () => {
  const { options, take } = await takeWithKnownAccount()
  const owned = await take()
  owned.flushedAt = 0
  const waiting: ScoreOptions = { ...options, flush: { intervalMs: 1_000, now: () => 1 } }
  const signals = ['c', 'd'].map((id, i) =>
    logRecord(2 + i, signalRecord(topics.signals, signal(id, 'known'), NOW)),
  )
  await scoreRecords(waiting, owned, signals)
  expect(owned.unsaved.loadedChunks).toBe(1)
  await scoreRecords(options, owned, [logRecord(4, signalRecord(topics.signals, signal('e', 'known'), NOW))])
  expect(owned.unsaved.loadedChunks).toBe(0)
})
