import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

const ACCOUNTS = 1_200
const RECORDS = Array.from({ length: ACCOUNTS }, (_, i) => signalAt(i + 1, signal(`s-${i}`, `account-${i}`)))

/** The store's content and the published records, after scoring this many records at a time. */
async function score(batchSize: number) {
  const { store, committed, take } = onePartition()
  const scorer = await take()
  await scorer.score([modelsAt(0)])
  let turns = 0
  let isDone = false
  const others = (async () => {
    for (; !isDone; turns++) await setImmediate()
  })()
  for (let from = 0; from < ACCOUNTS; from += batchSize)
    await scorer.score(RECORDS.slice(from, from + batchSize))
  isDone = true
  await others
  const ids = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`)
  const stored = (await store.load(0, ids)).map(bytes => Buffer.from(bytes!).toString('base64'))
  return { stored, published: committed.flat().length, transactions: committed.length, turns }
}

test('a large write gives the same result as small ones, and yields to other work', async () => {
  const small = await score(100)
  const large = await score(ACCOUNTS)
  expect(large.stored).toEqual(small.stored)
  expect([small.transactions, large.transactions]).toEqual([1 + ACCOUNTS / 100, 2])
  expect(large.published).toBe(small.published)
  // Two turns for comparing, two for encoding. Small writes wait for nothing.
  expect([small.turns, large.turns]).toEqual([1, 5])
})
