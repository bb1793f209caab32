import { expect, test } from 'vitest'
import { type ScoreOptions, scoreRecords } from '../../../src/consumers/scorer/score-partition.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

async function takeWithKnownAccount() {
  const { store, committed, options, take } = onePartition()
  const owned = await take()
  await scoreRecords(options, owned, [modelsAt(0), signalAt(1, signal('a', 'known'))])
  expect(committed).toHaveLength(1)
  return { store, committed, options, owned, take }
}

test('a store that was emptied under its owner decides no output', async () => {
  const { store, committed, options, owned } = await takeWithKnownAccount()
  store.empty()
  const next = [signalAt(2, signal('b', 'not-in-the-cache'))]
  await expect(scoreRecords(options, owned, next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(1)
})

test('nor does one that is asked for users only', async () => {
  const { store, committed, options, take } = await takeWithKnownAccount()
  const owned = await take()
  const nobody = { ...signal('b', 'known'), userId: undefined }
  await scoreRecords(options, owned, [signalAt(2, nobody)])
  expect(committed).toHaveLength(2)
  store.empty()
  const next = [signalAt(3, signal('c', 'known'))]
  await expect(scoreRecords(options, owned, next)).rejects.toMatchObject({ code: 'STORE_MOVED' })
  expect(committed).toHaveLength(2)
})

test('the users that were asked for count as unsaved until they are written', async () => {
  const { options, take } = await takeWithKnownAccount()
  const owned = await take()
  owned.flushedAt = 0
  const waiting: ScoreOptions = { ...options, flush: { intervalMs: 1_000, now: () => 1 } }
  const signals = ['c', 'd'].map((id, i) => signalAt(2 + i, signal(id, 'known')))
  await scoreRecords(waiting, owned, signals)
  expect(owned.unsaved.loadedChunks).toBe(1)
  await scoreRecords(options, owned, [signalAt(4, signal('e', 'known'))])
  expect(owned.unsaved.loadedChunks).toBe(0)
})
