import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash64 } from '../../../src/lib/hash.ts'
import type { UserChunk } from '../../../src/scoring/activity/user-chunk.ts'
import {
  chunkNames,
  createUserBook,
  lastDayOf,
  levelOf,
  packUserDays,
  seeUser,
  USER_DAYS_HELD,
  type UserBook,
} from '../../../src/scoring/activity/users.ts'
import { decodeUserChunk, encodeUserChunk } from '../../../src/scoring/codec/chunk-codec.ts'
import { recentDays } from '../../support/recent-days.ts'

function usersOf(users: UserChunk): [number, number][] {
  return Array.from({ length: users.size }, (_, i) => [users.user(i), users.days(i)])
}

/**
 * A store of chunks: a batch can read only what earlier ones saved, and reads only the chunks of its own
 * users.
 */
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
    for (const [name, chunk] of book.chunks)
      if (chunk.isUnsaved) this.#bytes.set(name, encodeUserChunk(chunk))
  }

  get size(): number {
    return [...this.#bytes.values()].reduce((sum, bytes) => sum + bytes.length, 0)
  }
}

describe('user chunks', () => {
  test('give the same last seen days as one map, on every level, whatever the batches', () => {
    const store = new ChunkStore()
    const expected = new Map<string, number>()
    let userCount = 0
    for (let batch = 0; batch < 300; batch++) {
      const seen = Array.from({ length: 40 }, (_, i) => ({
        user: `u-${((batch * 40 + i) * 7919) % 6000}`,
        day: 100 + Math.floor(batch / 4),
      }))
      const book = store.load(new Set(seen.flatMap(({ user }) => chunkNames(userCount, hash64(user)))))
      for (const { user, day } of seen) {
        const { before, now } = seeUser(book, userCount, hash64(user), day, day)
        expect(before === undefined ? undefined : lastDayOf(before)).toBe(expected.get(user))
        expected.set(user, day)
        expect(lastDayOf(now)).toBe(day)
        if (before === undefined) userCount++
      }
      store.save(book)
    }
    expect(userCount).toBe(expected.size)
    expect(levelOf(userCount)).toBe(2)
  })

  test('need only a few to be read for a user in an account of 100,000', () => {
    const store = new ChunkStore()
    const book = createUserBook()
    for (let i = 0; i < 100_000; i++) seeUser(book, i, hash64(`u-${i}`), 200, 200)
    store.save(book)
    store.read = 0
    store.load(chunkNames(100_000, hash64('u-77')))
    expect(store.read).toBeLessThan(22_000)
    expect(store.size / 100_000).toBeLessThan(20)
  })

  test('forget a user who was not seen for 400 days', () => {
    const book = createUserBook()
    seeUser(book, 0, hash64('u'), 1000, 1000)
    expect(seeUser(book, 1, hash64('u'), 1399, 1399)).toEqual({
      before: packUserDays(1000, 1),
      now: packUserDays(1399, 1),
    })
    expect(seeUser(book, 1, hash64('u'), 1799, 1799)).toEqual({
      before: undefined,
      now: packUserDays(1799, 1),
    })
  })

  test('are equal after encoding and decoding', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 100 }), users => {
        const book = createUserBook()
        users.forEach((user, i) => {
          seeUser(book, i, hash64(user), 20_000 + i, 20_000 + i)
        })
        for (const chunk of book.chunks.values()) {
          const bytes = encodeUserChunk(chunk)
          const back = decodeUserChunk('account', bytes)
          expect(usersOf(back)).toEqual(usersOf(chunk))
          expect(encodeUserChunk(back)).toEqual(bytes)
        }
      }),
    )
  })
})

describe('the days on which a user was seen', () => {
  /** In the order in which they become known: some are late, some by very long. */
  const DAYS = fc.array(
    fc.oneof(fc.integer({ min: 950, max: 1000 }), fc.integer({ min: 700, max: 65_535 })),
    {
      minLength: 1,
      maxLength: 60,
    },
  )

  test('equal a plain set of days, for the 30 days up to the last one', () => {
    fc.assert(
      fc.property(DAYS, days => {
        const book = createUserBook()
        let seen = new Set<number>()
        for (const [i, day] of days.entries()) {
          const today = Math.max(...days.slice(0, i + 1))
          const last = Math.max(...seen)
          // A user who was not seen for 400 days is new.
          if (last <= today - 400) seen = new Set()
          const { before, now } = seeUser(book, 1, hash64('u'), day, today)
          expect(before === undefined ? [] : recentDays(before)).toEqual(lastOnes(seen))
          seen = new Set([...seen, day])
          expect(recentDays(now)).toEqual(lastOnes(seen))
          expect(lastDayOf(now)).toBe(Math.max(...seen))
        }
      }),
    )
  })

  test('are equal after encoding and decoding', () => {
    fc.assert(
      fc.property(DAYS, days => {
        const book = createUserBook()
        const today = Math.max(...days)
        for (const day of days) seeUser(book, 1, hash64('u'), day, today)
        for (const chunk of book.chunks.values())
          expect(usersOf(decodeUserChunk('account', encodeUserChunk(chunk)))).toEqual(usersOf(chunk))
      }),
    )
  })

  test('mark the chunk as changed only if a day is added', () => {
    const book = createUserBook()
    seeUser(book, 1, hash64('u'), 1000, 1000)
    const [chunk] = book.chunks.values()
    for (const [day, changes] of [
      [1000, false],
      [970, false],
      [971, true],
      [971, false],
      [1001, true],
    ] as const) {
      chunk!.isUnsaved = false
      seeUser(book, 1, hash64('u'), day, 1001)
      expect(chunk!.isUnsaved, `day ${day}`).toBe(changes)
    }
  })
})

/** Latest first. */
function lastOnes(days: ReadonlySet<number>): number[] {
  const last = Math.max(...days)
  return [...days].filter(day => day > last - USER_DAYS_HELD).sort((a, b) => b - a)
}
