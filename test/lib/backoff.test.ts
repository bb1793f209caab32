import { expect, test } from 'vitest'
import { Backoff } from '../../src/lib/backoff.ts'

test('waits longer each time, up to the longest wait, and starts again after a reset', async () => {
  const backoff = new Backoff({ firstMs: 1, longestMs: 5 })
  const waits: number[] = []
  for (let i = 0; i < 5; i++) {
    waits.push(backoff.nextMs)
    await backoff.wait()
  }
  expect(waits).toEqual([1, 2, 4, 5, 5])
  backoff.reset()
  expect(backoff.nextMs).toBe(1)
})

test('multiplies by the given factor, without a limit if none is given', async () => {
  const backoff = new Backoff({ firstMs: 1, factor: 3 })
  await backoff.wait()
  await backoff.wait()
  expect(backoff.nextMs).toBe(9)
})

test('ends a wait without an error when the signal is aborted, before or during it', async () => {
  const stop = new AbortController()
  const backoff = new Backoff({ firstMs: 60_000, signal: stop.signal })
  const waited = backoff.wait()
  stop.abort()
  await waited
  await backoff.wait()
})
