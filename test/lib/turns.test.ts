import { expect, test } from 'vitest'
import { deferred } from '../../src/lib/deferred.ts'
import { Turns } from '../../src/lib/turns.ts'

test('starts each piece of work when the one before has settled', async () => {
  const turns = new Turns()
  const first = deferred()
  const seen: string[] = []
  const done = [
    turns.take(async () => {
      seen.push('first')
      await first.promise
      seen.push('first done')
    }),
    turns.take(() => void seen.push('second')),
  ]
  await new Promise(setImmediate)
  expect(seen).toEqual(['first'])
  first.resolve()
  await Promise.all(done)
  expect(seen).toEqual(['first', 'first done', 'second'])
})

test('gives each caller its own result or error, and goes on after an error', async () => {
  const turns = new Turns()
  const failing = turns.take(async () => {
    throw new Error('no')
  })
  const next = turns.take(() => 7)
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe(7)
})

test('is settled when all work has, even if some failed', async () => {
  const turns = new Turns()
  let isDone = false
  const failing = turns.take(async () => {
    await new Promise(setImmediate)
    isDone = true
    throw new Error('no')
  })
  failing.catch(() => {})
  await turns.settle()
  expect(isDone).toBe(true)
})
