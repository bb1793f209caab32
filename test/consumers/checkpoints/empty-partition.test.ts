import { expect, test } from 'vitest'
import { emptyPartition } from '../../../src/consumers/checkpoints/rebuild-partition.ts'
import { MemoryStore } from '../../support/memory-store.ts'

test('emptying ends quietly if a scorer takes the partition meanwhile, and the scorer keeps it', async () => {
  const store = new MemoryStore()
  const clear = store.clear.bind(store)
  store.clear = async (partition, fencingToken) => {
    await store.fence(partition, 'scorer')
    await clear(partition, fencingToken)
  }
  await emptyPartition(store, { partition: 0, committedOffset: 5 })
  await clear(0, 'scorer')
})

test('reports any other error', async () => {
  const store = new MemoryStore()
  store.clear = async () => {
    throw new Error('away')
  }
  await expect(emptyPartition(store, { partition: 0, committedOffset: 5 })).rejects.toThrow('away')
})

test('readers see at once that an emptied partition is not whole', async () => {
  const store = new MemoryStore()
  await emptyPartition(store, { partition: 0, committedOffset: 5 })
  expect(await store.readProgress([0])).toMatchObject([{ position: 0, wholeFrom: 5 }])
})
