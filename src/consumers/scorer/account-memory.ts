import type { Account } from '../../scoring/account.ts'

// How much memory accounts take, estimated from what is known without looking at them. Measured with the
// shipped models and others, on Node 20 and 24 (docs/scale.md): an account takes 9 to 10 times the bytes of
// its core, and small ones 1 to 2 KB more.

const ACCOUNT_BYTES = 1_500
const BYTES_PER_CORE_BYTE = 10
/** A user takes 16 to 24 bytes in memory, and 20 in the store. */
const BYTES_PER_CHUNK_BYTE = 2
const BYTES_PER_USER = 24
/** A new account's standing in one model. */
const BYTES_PER_NEW_STANDING = 1_500

/** @param coreBytes the bytes of its core, as the store holds them */
export function accountMemory(coreBytes: number): number {
  return ACCOUNT_BYTES + BYTES_PER_CORE_BYTE * coreBytes
}

/** An account that is not in the store yet, in so many models. */
export function newAccountMemory(models: number): number {
  return ACCOUNT_BYTES + BYTES_PER_NEW_STANDING * (models + 1)
}

/** @param bytes of chunks of users or ids, as the store holds them */
export function chunkMemory(bytes: number): number {
  return BYTES_PER_CHUNK_BYTE * bytes
}

/** What an account's user chunks take that are in memory. */
export function usersMemory({ users: { chunks } }: Account): number {
  let users = 0
  for (const chunk of chunks.values()) users += chunk.size
  return BYTES_PER_USER * users
}
