import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTurns } from '../../src/lib/turns.ts'

test('other work gets its turn after so many items, whatever lists they are of', async () => {
  const seen: (number | string)[] = []
  const other = (async () => {
    await setImmediate()
    seen.push('other')
  })()
  const turns = createTurns(4)
  for (const list of [[1, 2, 3], [], [4, 5], [6]]) await turns.each(list, item => seen.push(item))
  await other
  expect(seen).toEqual([1, 2, 3, 4, 'other', 5, 6])
})

test('short work keeps its turn', async () => {
  const seen: (number | string)[] = []
  const other = setImmediate().then(() => seen.push('other'))
  await createTurns().each([1, 2, 3], item => seen.push(item))
  expect(seen).toEqual([1, 2, 3])
  await other
})
