import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createYielder } from '../../src/lib/yielder.ts'

test('lets other work run after the given number of items, counted over all lists', async () => {
  const seen: (number | string)[] = []
  const other = (async () => {
    await setImmediate()
    seen.push('other')
  })()
  const yielder = createYielder(4)
  for (const list of [[1, 2, 3], [], [4, 5], [6]]) await yielder.each(list, item => seen.push(item))
  await other
  expect(seen).toEqual([1, 2, 3, 4, 'other', 5, 6])
})

test('does not pause within short work', async () => {
  const seen: (number | string)[] = []
  const other = setImmediate().then(() => seen.push('other'))
  await createYielder().each([1, 2, 3], item => seen.push(item))
  expect(seen).toEqual([1, 2, 3])
  await other
})
