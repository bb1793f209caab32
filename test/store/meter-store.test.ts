import { expect, test } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { meterStore } from '../../src/store/meter-store.ts'
import { MemoryStore } from '../support/memory-store.ts'

class FailingStore extends MemoryStore {
  override async load(): Promise<never> {
    throw new UpswellError('STORE_UNAVAILABLE', 'it is away', { canRetry: true })
  }

  override async claimPartitions(): Promise<never> {
    throw new UpswellError('PARTITIONS_CHANGED', 'it has 8 partitions')
  }
}

test('reports each call with its name, time and result, and answers or throws as the store does', async () => {
  const calls: (readonly [string, string])[] = []
  const store = meterStore(new FailingStore(), {
    requested: (operation, seconds, result) => {
      expect(seconds).toBeGreaterThanOrEqual(0)
      calls.push([operation, result])
    },
    reconnected: () => {},
  })
  expect(await store.fence(0, 'token')).toEqual({ storedOffset: 0, state: undefined })
  expect(await store.readStoredOffset(0)).toBe(0)
  await expect(store.load(0, ['acme'])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await expect(store.claimPartitions(4)).rejects.toMatchObject({ code: 'PARTITIONS_CHANGED' })
  expect(calls).toEqual([
    ['fence', 'done'],
    ['readStoredOffset', 'done'],
    ['load', 'unavailable'],
    ['claimPartitions', 'refused'],
  ])
})

test('is the store itself if nothing is measured', () => {
  const store = new MemoryStore()
  expect(meterStore(store, undefined)).toBe(store)
})
