import type { Account } from '../account.ts'
import type { AccountActivity } from '../activity/activity.ts'
import { ID_CHUNK_NAMES, IdChunk, isIdChunk } from '../activity/many-ids.ts'
import { UserChunk } from '../activity/user-chunk.ts'
import { everyUserChunkName, lastDayOf, maskOf, packUserDays } from '../activity/users.ts'
import { readIds, writeIds } from './activity-codec.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { reading } from './codec.ts'

// The chunks of an account, stored beside its core: of its users, and of its ids if it has many. Equal chunks
// have equal bytes. The version comes first. A version that has shipped is never edited.

const USERS_VERSION = 2
const IDS_VERSION = 1

/** The names of all chunks that an account can have in the store, of users and of ids. */
export function everyChunkName({
  userCount,
  manyIds,
}: Pick<AccountActivity, 'userCount' | 'manyIds'>): string[] {
  const names = everyUserChunkName(userCount)
  // Also after all ids were forgotten: the store may hold their chunks until the next write.
  return manyIds === undefined ? names : [...names, ...ID_CHUNK_NAMES]
}

/**
 * Adds a stored chunk to its account. If the account's ids are in its core, an id chunk is left over, and is
 * dropped.
 * @throws UnreadableStateError
 */
export function addChunk(account: Account, name: string, bytes: Uint8Array): void {
  if (!isIdChunk(name)) account.users.chunks.set(name, decodeUserChunk(account.id, bytes))
  else account.activity.manyIds?.chunks.set(name, decodeIdChunk(account.id, bytes))
}

/**
 * Calls `write` with each chunk that the store does not hold yet, and with undefined for each chunk that the
 * store must not hold.
 */
export function writeChunks(
  { users, activity: { manyIds } }: Account,
  out: ByteWriter,
  write: (name: string, bytes: Uint8Array | undefined) => void,
): void {
  for (const [name, chunk] of users.chunks) if (chunk.isUnsaved) write(name, encodeUserChunk(chunk, out))
  if (manyIds === undefined) return
  for (const [name, chunk] of manyIds.chunks) if (chunk.isUnsaved) write(name, encodeIdChunk(chunk, out))
  if (!manyIds.isWhole) return
  for (const name of ID_CHUNK_NAMES) if (!manyIds.chunks.has(name)) write(name, undefined)
}

const BYTES_PER_USER = 14

/**
 * 14 bytes for each user, ascending by hash.
 * @param out to encode many chunks, make one writer for all of them
 */
export function encodeUserChunk(users: UserChunk, out = new ByteWriter()): Uint8Array {
  out.restart()
  out.byte(USERS_VERSION)
  for (let i = 0; i < users.size; i++) {
    const days = users.days(i)
    out.double(users.user(i))
    out.uint16(lastDayOf(days))
    out.uint32(maskOf(days))
  }
  return out.finish()
}

/** @throws UnreadableStateError */
export function decodeUserChunk(id: string, bytes: Uint8Array): UserChunk {
  return reading(id, () => {
    if (bytes[0] !== USERS_VERSION)
      throw new RangeError(`user chunk of version ${bytes[0]}, where ${USERS_VERSION} can be read`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const users = new UserChunk()
    users.reserve(Math.ceil((bytes.length - 1) / BYTES_PER_USER))
    for (let position = 1; position < bytes.length; position += BYTES_PER_USER) {
      const days = packUserDays(view.getUint16(position + 8, true), view.getUint32(position + 10, true))
      users.append(view.getFloat64(position, true), days)
    }
    return users
  })
}

/** Up to 24 KB: the ids with their times, oldest first. */
export function encodeIdChunk({ ids }: IdChunk, out = new ByteWriter()): Uint8Array {
  out.restart()
  out.byte(IDS_VERSION)
  writeIds(out, ids)
  return out.finish()
}

/** @throws UnreadableStateError */
export function decodeIdChunk(id: string, bytes: Uint8Array): IdChunk {
  return reading(id, () => {
    const input = new ByteReader(bytes)
    const version = input.byte()
    if (version !== IDS_VERSION)
      throw new RangeError(`id chunk of version ${version}, where ${IDS_VERSION} can be read`)
    const chunk = new IdChunk()
    // 9 bytes or a few more for each id, and room for some that are added.
    chunk.ids.reserve(Math.ceil(bytes.length / 9))
    readIds(input, chunk.ids)
    if (!input.atEnd()) throw new RangeError('there are bytes after the end')
    return chunk
  })
}
