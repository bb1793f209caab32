import { type Hash64, lowBits } from '../../lib/hash.ts'
import { HELD_DAYS } from '../../signals/time.ts'
import { UserChunk } from './user-chunk.ts'
import { UserChunks } from './user-chunks.ts'

/**
 * An account's users with their recent days. Users are in chunks by hash, so
 * that a batch reads only the chunks of its own users. An account starts with one chunk (level 0); each level
 * has 16 times as many. A rising level moves nothing: a new chunk starts with its share of its parent.
 */
export interface UserBook {
  readonly chunks: UserChunks
}

/**
 * The days on which a user was seen, as one number: the last day times 2³⁰, plus a mask of the 30 days that
 * end with it. Bit k is the k-th day before the last.
 */
export type UserDays = number

/** How many days back a user's active days are known. */
export const USER_DAYS_HELD = 30
const MASKS = 2 ** USER_DAYS_HELD
const MASK_BITS = MASKS - 1

export function packUserDays(lastDay: number, mask: number): UserDays {
  return lastDay * MASKS + mask
}

export function lastDayOf(days: UserDays): number {
  return Math.floor(days / MASKS)
}

export function maskOf(days: UserDays): number {
  // `%` on doubles would be many times slower.
  return days - Math.floor(days / MASKS) * MASKS
}

function addDay(days: UserDays, day: number): UserDays {
  const last = lastDayOf(days)
  if (day === last) return days
  const mask = maskOf(days)
  if (day > last) {
    const passed = day - last
    return packUserDays(day, passed >= USER_DAYS_HELD ? 1 : ((mask << passed) & MASK_BITS) | 1)
  }
  return last - day < USER_DAYS_HELD ? packUserDays(last, mask | (1 << (last - day))) : days
}

/** An account leaves a level when it has had more users than this per chunk of the level. */
const USERS_PER_CHUNK = 128
const LEVELS = 5
const LOWEST: readonly string[] = ['0']

export function createUserBook(): UserBook {
  return { chunks: new UserChunks() }
}

/** The level of an account that has had `userCount` users. */
export function levelOf(userCount: number): number {
  if (userCount <= USERS_PER_CHUNK) return 0
  let level = 1
  while (level < LEVELS - 1 && userCount > USERS_PER_CHUNK * 16 ** level) level++
  return level
}

function chunkName(level: number, hash: Hash64): string {
  return level === 0 ? '0' : `${level}.${(lowBits(hash) >>> (32 - 4 * level)).toString(16)}`
}

/**
 * The names of the chunks that may hold a user, the account's level first. The book must have those that
 * exist before `seeUser` is called.
 * @param user the `hash64` of the user's id
 */
export function chunkNames(userCount: number, user: Hash64): readonly string[] {
  if (userCount <= USERS_PER_CHUNK) return LOWEST
  const names: string[] = []
  for (let level = levelOf(userCount); level >= 0; level--) names.push(chunkName(level, user))
  return names
}

/** The names of all user chunks that an account can have after `userCount` users. */
export function everyUserChunkName(userCount: number): string[] {
  if (userCount === 0) return []
  const names = ['0']
  for (let level = 1; level <= levelOf(userCount); level++)
    for (let i = 0; i < 16 ** level; i++) names.push(`${level}.${i.toString(16)}`)
  return names
}

/** A user's days before and after it was seen. */
export interface SeenUser {
  /** Undefined: the user is new, or was forgotten. */
  readonly before: UserDays | undefined
  readonly now: UserDays
}

/**
 * Records that a user was seen on a day.
 * @param user the `hash64` of the user's id
 */
export function seeUser(
  book: UserBook,
  userCount: number,
  user: Hash64,
  day: number,
  today: number,
): SeenUser {
  const chunk = chunkOf(book, levelOf(userCount), user)
  const stored = chunk.get(user)
  const before = stored !== undefined && lastDayOf(stored) > today - HELD_DAYS ? stored : undefined
  const now = before === undefined ? packUserDays(day, 1) : addDay(before, day)
  if (stored !== now) {
    chunk.set(user, now)
    chunk.isUnsaved = true
  }
  return { before, now }
}

function chunkOf(book: UserBook, level: number, hash: Hash64): UserChunk {
  const name = chunkName(level, hash)
  const found = level === 0 ? book.chunks.first : book.chunks.get(name)
  if (found !== undefined) return found
  const made = new UserChunk()
  for (let above = level - 1; above >= 0; above--) {
    const parent = book.chunks.get(chunkName(above, hash))
    if (parent === undefined) continue
    for (let i = 0; i < parent.size; i++)
      if (chunkName(level, parent.user(i)) === name) made.append(parent.user(i), parent.days(i))
    break
  }
  book.chunks.set(name, made)
  return made
}
