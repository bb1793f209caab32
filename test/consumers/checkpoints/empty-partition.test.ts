import { expect, test } from 'vitest'
import { emptyPartition } from '../../../src/consumers/checkpoints/rebuild-partition.ts'
import { MemoryStore } from '../../support/memory-store.ts'

test('a scorer that takes a partition while it is being emptied goes on with it', async () => {
  const store = new MemoryStore()
  const clear = store.clear.bind(store)
  store.clear = async (partition, fencingToken) => {
    await store.fence(partition, 'scorer')
    await clear(partition, fencingToken)
  }
  await emptyPartition(store, 0)
  await clear(0, 'scorer')
})

test('what else goes wrong is told', async () => {
  const store = new MemoryStore()
  store.clear = async () => {
    throw new Error('away')
  }
  await expect(emptyPartition(store, 0)).rejects.toThrow('away')
})
