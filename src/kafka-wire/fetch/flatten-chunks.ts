/**
 * The items of the chunks, one by one. It makes one promise for each item, which `for await` needs; `yield*`
 * in an async generator makes several. Ask for the next item only when the last one has come, as `for await`
 * does.
 */
export function flattenChunks<T>(chunks: AsyncGenerator<readonly T[], void>): AsyncIterableIterator<T, void> {
  let chunk: readonly T[] = []
  let at = 0
  const nextChunk = async (): Promise<IteratorResult<T, void>> => {
    for (;;) {
      const { done, value } = await chunks.next()
      if (done === true) return { done, value: undefined }
      if (value.length === 0) continue
      chunk = value
      at = 1
      return { done: false, value: chunk[0]! }
    }
  }
  return {
    next: () => (at < chunk.length ? Promise.resolve({ done: false, value: chunk[at++]! }) : nextChunk()),
    return: async () => {
      chunk = []
      await chunks.return()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
