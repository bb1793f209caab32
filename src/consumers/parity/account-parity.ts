import type { Account } from '../../scoring/account.ts'
import {
  encodeAccount,
  encodeUserChunk,
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
  /** `core`, or the name of a chunk of the account's users. */
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
  const differences: Difference[] = []
  const compare = (
    part: Difference['part'],
    stored: Uint8Array | undefined,
    made: Uint8Array | undefined,
  ): void => {
    const isSame = stored !== undefined && made !== undefined && Buffer.compare(stored, made) === 0
    if (!isSame) differences.push({ part, stored, recomputed: made })
  }
  compare('core', core, recomputed && encodeAccount(recomputed))
  if (chunks !== undefined) {
    const made = recomputedChunks(recomputed)
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

function recomputedChunks(account: Account | undefined): Map<string, Uint8Array> {
  const chunks = new Map<string, Uint8Array>()
  for (const [name, chunk] of account?.users.chunks ?? [])
    if (chunk.changed) chunks.set(name, encodeUserChunk(chunk))
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
