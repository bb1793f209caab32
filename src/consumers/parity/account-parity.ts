import type { Account } from '../../scoring/account.ts'
import { ByteWriter } from '../../scoring/codec/bytes.ts'
import { writeChunks } from '../../scoring/codec/chunk-codec.ts'
import {
  encodeAccount,
  isOlderFormat,
  lastOffsetIn,
  UnreadableStateError,
} from '../../scoring/codec/codec.ts'
import type { PassedOver, SampledAccount } from './sample-accounts.ts'

/** The result of checking one account. */
export type AccountParity =
  | { readonly outcome: 'equal'; readonly accountId: string }
  | DifferentAccount
  | ({ readonly outcome: 'unknown' } & PassedOver)

export interface DifferentAccount {
  readonly outcome: 'different'
  readonly accountId: string
  /** Compared after all records below this offset. */
  readonly storedOffset: number
  /** The offset of the last record applied, as the store holds it. Undefined: its bytes are unreadable. */
  readonly storedLastOffset: number | undefined
  /** The same, as recomputed. Undefined: the log has no such account. */
  readonly recomputedLastOffset: number | undefined
  /** At least one. */
  readonly differences: readonly Difference[]
}

export interface Difference {
  /** `core`, or the name of a chunk of the account's users or ids. */
  readonly part: 'core' | { readonly chunk: string }
  /** Undefined: it does not exist. */
  readonly stored: Uint8Array | undefined
  readonly recomputed: Uint8Array | undefined
}

/**
 * Compares bytes. Only the recomputed chunks that are marked as changed count, since the store holds these.
 * The others were split off larger chunks on the way.
 */
export function compareAccount(sampled: SampledAccount, recomputed: Account | undefined): AccountParity {
  const { accountId, storedOffset, core, chunks } = sampled
  // Its bytes cannot be equal, and its next change writes it in the present format.
  if (core !== undefined && isOlderFormat(core))
    return { outcome: 'unknown', accountId, reason: 'an older version of Upswell wrote it' }
  const writer = new ByteWriter()
  const differences: Difference[] = []
  const compare = (
    part: Difference['part'],
    stored: Uint8Array | undefined,
    made: Uint8Array | undefined,
  ): void => {
    const isSame = stored !== undefined && made !== undefined && Buffer.compare(stored, made) === 0
    if (!isSame) differences.push({ part, stored, recomputed: made })
  }
  compare('core', core, recomputed && encodeAccount(recomputed, writer))
  if (chunks !== undefined) {
    const made = recomputedChunks(recomputed, writer)
    for (const chunk of new Set([...chunks.keys(), ...made.keys()]))
      compare({ chunk }, chunks.get(chunk), made.get(chunk))
  }
  if (differences.length === 0) return { outcome: 'equal', accountId }
  return {
    outcome: 'different',
    accountId,
    storedOffset,
    storedLastOffset: core && readLastOffset(accountId, core),
    recomputedLastOffset: recomputed?.lastOffset,
    differences,
  }
}

function recomputedChunks(account: Account | undefined, writer: ByteWriter): Map<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array>()
  if (account === undefined) return chunks
  writeChunks(account, writer, (name, bytes) => {
    if (bytes !== undefined) chunks.set(name, bytes)
  })
  return chunks
}

function readLastOffset(accountId: string, core: Uint8Array): number | undefined {
  try {
    return lastOffsetIn(accountId, core)
  } catch (error) {
    if (error instanceof UnreadableStateError) return undefined
    throw error
  }
}
