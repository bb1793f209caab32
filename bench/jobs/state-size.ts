import type { Account } from '../../src/scoring/account.ts'
import { ByteWriter } from '../../src/scoring/codec/bytes.ts'
import { encodeUserChunk } from '../../src/scoring/codec/chunk-codec.ts'
import { encodeAccount } from '../../src/scoring/codec/codec.ts'

/** Bytes of the accounts' state in any store, without the store's keys and indexes. */
export interface StateSize {
  readonly accounts: number
  readonly core: {
    readonly median: number
    readonly p99: number
    readonly max: number
    readonly total: number
  }
  readonly users: number
  readonly userChunkBytes: number
}

export function sizeOfState(accounts: Iterable<Account>): StateSize {
  const writer = new ByteWriter()
  const cores: number[] = []
  let users = 0
  let userChunkBytes = 0
  for (const account of accounts) {
    cores.push(encodeAccount(account, writer).length)
    for (const chunk of account.users.chunks.values()) {
      users += chunk.size
      userChunkBytes += encodeUserChunk(chunk, writer).length
    }
  }
  cores.sort((a, b) => a - b)
  const atRank = (share: number): number => cores[Math.ceil(share * cores.length) - 1] ?? 0
  return {
    accounts: cores.length,
    core: { median: atRank(0.5), p99: atRank(0.99), max: atRank(1), total: cores.reduce((a, b) => a + b, 0) },
    users,
    userChunkBytes,
  }
}
