import { expect, test } from 'vitest'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

async function takeWithKnownAccount() {
  const { store, committed, take } = onePartition()
  const scorer = await take()
  await scorer.score([modelsAt(0), signalAt(1, signal('a', 'known'))])
  expect(committed).toHaveLength(1)
  return { store, committed, scorer, take }
}

test('publishes nothing from a store that is emptied under its owner', async () => {
  const { store, committed, scorer } = await takeWithKnownAccount()
  store.empty()
  const next = [signalAt(2, signal('b', 'not-in-the-cache'))]
  await expect(scorer.score(next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(1)
})

test('publishes nothing from an emptied store that is asked only for users', async () => {
  const { store, committed, take } = await takeWithKnownAccount()
  const scorer = await take()
  const nobody = { ...signal('b', 'known'), userId: undefined }
  await scorer.score([signalAt(2, nobody)])
  expect(committed).toHaveLength(2)
  store.empty()
  const next = [signalAt(3, signal('c', 'known'))]
  await expect(scorer.score(next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(2)
})

test('loaded users count as dirty memory until they are flushed', async () => {
  const { take } = await takeWithKnownAccount()
  const flushes = new FlushSchedule({ intervalMs: 1_000, now: () => 1 })
  const scorer = await take({ flushes })
  await scorer.score([signalAt(2, { ...signal('b', 'known'), userId: undefined })])
  await scorer.score([signalAt(3, { ...signal('c', 'known'), userId: undefined })])
  const before = scorer.dirty.memoryBytes
  await scorer.score([signalAt(4, { ...signal('d', 'known'), userId: undefined })])
  const ofSignal = scorer.dirty.memoryBytes - before
  await scorer.score([signalAt(5, signal('e', 'known'))])
  expect(scorer.dirty.memoryBytes - before).toBeGreaterThan(2 * ofSignal)
  await scorer.flush()
  expect(scorer.dirty.memoryBytes).toBe(0)
})
