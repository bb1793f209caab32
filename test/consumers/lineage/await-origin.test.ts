import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Lineage } from '../../../src/consumers/lineage/lineage.ts'
import { LineagePublication } from '../../../src/consumers/lineage/lineage-publication.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { headersOf } from '../../support/log-record.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { TOPICS, topicsOf } from './installation.ts'

const PARTITIONS = 2
/** In partition 3 of four: a copy of the record at offset 7 in partition 1 of two. */
const PROMOTION: LogRecord = {
  topic: topicsOf('v2').signals,
  partition: 3,
  offset: 20,
  timestamp: 0,
  key: null,
  value: Buffer.from('{"namespace":"default/v2","replacedModels":[]}'),
  ...headersOf({ headers: { 'upswell-record': 'promotion', 'upswell-origin': '1:7' } }),
}

function lineageWith(store: MemoryStore): Lineage {
  const names = { namespace: 'default/v2', topics: topicsOf('v2'), group: 'upswell-v2' }
  return { names, servedTopics: TOPICS, origin: { topic: TOPICS.signals, partitions: PARTITIONS, store } }
}

function beforePromotion(lineage: Lineage, record: LogRecord): Promise<void> {
  return new LineagePublication(lineage, new ModelLibrary()).beforePromotion(3, record)
}

async function moveTo(store: MemoryStore, partition: number, storedOffset: number): Promise<void> {
  const { storedOffset: expectedStoredOffset } = await store.fence(partition, 'owner')
  const nothing = { state: undefined, accounts: [], userChunks: [], counters: [] }
  await store.save(partition, { fencingToken: 'owner', expectedStoredOffset, storedOffset, ...nothing })
}

test("a promotion waits until the lineage that served has passed it, in the origin's partition", async () => {
  const store = new MemoryStore()
  let isOver = false
  const waiting = beforePromotion(lineageWith(store), PROMOTION).then(() => {
    isOver = true
  })
  await moveTo(store, 0, 100)
  await moveTo(store, 1, 7)
  await sleep(100)
  expect(isOver).toBe(false)
  await moveTo(store, 1, 8)
  await waiting
})

test('no other record waits', async () => {
  const lineage = lineageWith(new MemoryStore())
  await beforePromotion(lineage, { ...PROMOTION, headers: {} })
  await beforePromotion(lineage, { ...PROMOTION, value: Buffer.from('of a stranger') })
  await beforePromotion({ ...lineage, origin: undefined }, PROMOTION)
})

test('fails with a retry when the other lineage does not get there', async () => {
  await expect(beforePromotion(lineageWith(new MemoryStore()), PROMOTION)).rejects.toMatchObject({
    canRetry: true,
    message: expect.stringContaining(
      'signals partition 1 has been scored up to 0 only, and the promotion is at 7',
    ),
  })
}, 20_000)
