import { expect, it } from 'vitest'
import { flattenChunks } from '../../../src/kafka-wire/fetch/flatten-chunks.ts'

it('gives the items one by one, for chunks of any size', async () => {
  const items: number[] = []
  for await (const item of flattenChunks(chunksOf([[], [1, 2], [], [], [3], []]))) items.push(item)
  expect(items).toEqual([1, 2, 3])
})

it('ends the source when the reader stops, and passes its error on', async () => {
  const closed: string[] = []
  for await (const item of flattenChunks(chunksOf([[1, 2], [3]], closed))) if (item === 2) break
  expect(closed).toEqual(['closed'])
  const failing = flattenChunks(chunksOf([[1], 'failure']))
  expect(await failing.next()).toEqual({ done: false, value: 1 })
  await expect(failing.next()).rejects.toThrow('failure')
})

async function* chunksOf(chunks: readonly (readonly number[] | string)[], closed: string[] = []) {
  try {
    for (const chunk of chunks) {
      if (typeof chunk === 'string') throw new Error(chunk)
      yield chunk
    }
  } finally {
    closed.push('closed')
  }
}
