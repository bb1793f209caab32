import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { awaitOrigin } from '../../../src/consumers/lineage/await-origin.ts'
import type { Lineage } from '../../../src/consumers/lineage/lineage.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { TOPICS, topicsOf } from './installation.ts'

const PARTITIONS = 2
/** In partition 3 of four: a copy of what stands in partition 1 of two, at offset 7. */
const PROMOTION: LogRecord = {
  topic: topicsOf('v2').signals,
  partition: 3,
  offset: 20,
  timestamp: 0,
  key: null,
  value: Buffer.from('{"namespace":"default/v2","replacedModels":[]}'),
  headers: { 'upswell-record': Buffer.from('promotion'), 'upswell-origin': Buffer.from('1:7') },
}

function lineageWith(store: MemoryStore): Lineage {
  const names = { namespace: 'default/v2', topics: topicsOf('v2'), group: 'upswell-v2' }
  return { names, servedTopics: TOPICS, origin: { topic: TOPICS.signals, partitions: PARTITIONS, store } }
}

async function moveTo(store: MemoryStore, partition: number, storedOffset: number): Promise<void> {
  const { storedOffset: expectedStoredOffset } = await store.fence(partition, 'owner')
  const nothing = { state: undefined, accounts: [], userChunks: [], counters: [] }
  await store.save(partition, { fencingToken: 'owner', expectedStoredOffset, storedOffset, ...nothing })
}

test('a promotion waits until the line that served has passed it, in the partition that it is of', async () => {
  const store = new MemoryStore()
  let isOver = false
  const waiting = awaitOrigin(lineageWith(store), 3, PROMOTION).then(() => {
    isOver = true
  })
  await moveTo(store, 0, 100)
  await moveTo(store, 1, 7)
  await sleep(100)
  expect(isOver).toBe(false)
  await moveTo(store, 1, 8)
  await waiting
})

test('nothing else waits', async () => {
  const lineage = lineageWith(new MemoryStore())
  await awaitOrigin(lineage, 3, { ...PROMOTION, headers: {} })
  await awaitOrigin(lineage, 3, { ...PROMOTION, value: Buffer.from('of a stranger') })
  await awaitOrigin({ ...lineage, origin: undefined }, 3, PROMOTION)
})

test('where the other line does not come there, it is tried again later', async () => {
  await expect(awaitOrigin(lineageWith(new MemoryStore()), 3, PROMOTION)).rejects.toMatchObject({
    canRetry: true,
    message: expect.stringContaining(
      'signals partition 1 has been scored up to 0 only, and the promotion is at 7',
    ),
  })
}, 20_000)
