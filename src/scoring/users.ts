import { type Hash64, hash64, lowBits } from './hash.ts'
import { HELD_DAYS } from './time.ts'

/**
 * An account's users, apart from its core: for each the day it was last seen. They lie in chunks by hash, so that a batch reads
 * only the chunks of the users in it. An account starts with one chunk (level 0); each level has 16 times as many. Nothing is moved when the level
 * rises: a chunk that does not exist yet starts as its share of the chunk above it.
 */
export interface UserBook {
  readonly chunks: Map<string, UserChunk>
}

export interface UserChunk {
  readonly lastSeenDays: Map<Hash64, number>
  changed: boolean
}

/** A level is left when the account has had this many users per chunk of it. */
const USERS_PER_CHUNK = 128
const LEVELS = 5

export function createUserBook(): UserBook {
  return { chunks: new Map() }
}

/** The level at which an account that has had `userCount` users keeps them. */
export function levelOf(userCount: number): number {
  let level = 0
  while (level < LEVELS - 1 && userCount > USERS_PER_CHUNK * 16 ** level) level++
  return level
}

function chunkName(level: number, hash: Hash64): string {
  return level === 0 ? '0' : `${level}.${(lowBits(hash) >>> (32 - 4 * level)).toString(16)}`
}

/** The chunks that may hold a user, the one at the account's level first. All of them must be in the book, if they exist, before `seeUser`. */
export function chunkNames(userCount: number, userId: string): string[] {
  const hash = hash64(userId)
  const names: string[] = []
  for (let level = levelOf(userCount); level >= 0; level--) names.push(chunkName(level, hash))
  return names
}

/**
 * A user is seen on a day. Returns the last seen day before, or undefined for a user that is new or was forgotten, and what it is now.
 */
export function seeUser(
  book: UserBook,
  userCount: number,
  userId: string,
  day: number,
  today: number,
): { before: number | undefined; now: number } {
  const hash = hash64(userId)
  const chunk = chunkOf(book, levelOf(userCount), hash)
  const stored = chunk.lastSeenDays.get(hash)
  const before = stored !== undefined && stored > today - HELD_DAYS ? stored : undefined
  const now = before === undefined ? day : Math.max(before, day)
  if (stored !== now) {
    chunk.lastSeenDays.set(hash, now)
    chunk.changed = true
  }
  return { before, now }
}

function chunkOf(book: UserBook, level: number, hash: Hash64): UserChunk {
  const name = chunkName(level, hash)
  const found = book.chunks.get(name)
  if (found !== undefined) return found
  const made: UserChunk = { lastSeenDays: new Map(), changed: false }
  for (let above = level - 1; above >= 0; above--) {
    const parent = book.chunks.get(chunkName(above, hash))
    if (parent === undefined) continue
    for (const [user, day] of parent.lastSeenDays)
      if (chunkName(level, user) === name) made.lastSeenDays.set(user, day)
    break
  }
  book.chunks.set(name, made)
  return made
}
