import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUserChunk, encodeUserChunk } from '../../src/scoring/codec.ts'
import { chunkNames, createUserBook, levelOf, seeUser, type UserBook } from '../../src/scoring/users.ts'

/** A store of chunks: what a batch leaves is all that the next one can read, and it reads only the chunks of its own users. */
class ChunkStore {
  readonly #bytes = new Map<string, Uint8Array>()
  read = 0

  load(names: Iterable<string>): UserBook {
    const book = createUserBook()
    for (const name of names) {
      const bytes = this.#bytes.get(name)
      if (bytes === undefined) continue
      this.read += bytes.length
      book.chunks.set(name, decodeUserChunk('account', bytes))
    }
    return book
  }

  save(book: UserBook): void {
    for (const [name, chunk] of book.chunks) if (chunk.changed) this.#bytes.set(name, encodeUserChunk(chunk))
  }

  get size(): number {
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  }
}

describe('user records in chunks', () => {
  test('give the same last seen days as one map, through every level, whatever the batches', () => {
    const store = new ChunkStore()
    const expected = new Map<string, number>()
    let userCount = 0
    for (let batch = 0; batch < 300; batch++) {
      const seen = Array.from({ length: 40 }, (_, i) => ({
        user: `u-${((batch * 40 + i) * 7919) % 6000}`,
        day: 100 + Math.floor(batch / 4),
      }))
      const book = store.load(new Set(seen.flatMap(({ user }) => chunkNames(userCount, user))))
      for (const { user, day } of seen) {
        const { before, now } = seeUser(book, userCount, user, day, day)
        expect(before).toBe(expected.get(user))
        expected.set(user, day)
        expect(now).toBe(day)
        if (before === undefined) userCount++
      }
      store.save(book)
    }
    expect(userCount).toBe(expected.size)
    expect(levelOf(userCount)).toBe(2)
  })

  test('cost no more to read for an account of 100,000 users than a few chunks', () => {
    const store = new ChunkStore()
    const book = createUserBook()
    for (let i = 0; i < 100_000; i++) seeUser(book, i, `u-${i}`, 200, 200)
    store.save(book)
    store.read = 0
    store.load(chunkNames(100_000, 'u-77'))
    expect(store.read).toBeLessThan(16_000)
    expect(store.size / 100_000).toBeLessThan(16)
  })

  test('forget a user that was not seen for 400 days', () => {
    const book = createUserBook()
    seeUser(book, 0, 'u', 1000, 1000)
    expect(seeUser(book, 1, 'u', 1399, 1399).before).toBe(1000)
    expect(seeUser(book, 1, 'u', 1799, 1799).before).toBeUndefined()
  })

  test('chunks survive their bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 100 }), users => {
        const book = createUserBook()
        users.forEach((user, i) => {
          seeUser(book, i, user, 20_000 + i, 20_000 + i)
        })
        for (const chunk of book.chunks.values()) {
          const bytes = encodeUserChunk(chunk)
          const back = decodeUserChunk('account', bytes)
          expect(new Map([...back.lastSeenDays].sort())).toEqual(new Map([...chunk.lastSeenDays].sort()))
          expect(encodeUserChunk(back)).toEqual(bytes)
        }
      }),
    )
  })
})
