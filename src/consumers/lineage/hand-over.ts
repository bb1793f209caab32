import { UpswellError } from '../../lib/errors.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { decodePartitionMemory } from '../../models/partition-memory.ts'
import type { Account } from '../../scoring/account.ts'
import { eventsToAnnounce } from '../../scoring/announce.ts'
import { type AccountScores, decodeScores } from '../../scoring/codec/codec.ts'
import type { ScoringEvent } from '../../scoring/outputs.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { type Lineage, originPartition, roleOf } from './lineage.ts'

export interface HandedOver {
  readonly account: Account
  /** What subscribers are told, so that what they know of the account is how it stands in the line that serves now. */
  readonly events: readonly ScoringEvent[]
}

/** The accounts among these that a promoted line has not touched since its promotion: subscribers know them as the line before it told them. */
export function untoldAccounts(
  lineage: Lineage,
  memory: PartitionMemory,
  accounts: () => Iterable<Account>,
): Account[] {
  const { promotion } = memory
  if (lineage.origin === undefined || promotion === undefined || roleOf(lineage, memory) !== 'serving')
    return []
  return [...accounts()].filter(({ lastOffset }) => lastOffset < promotion.offset)
}

/**
 * What there is to tell of accounts that `untoldAccounts` gave: how they stood in the line before it, which has stood
 * still since then, decides what there is to tell.
 * @throws UpswellError STORE_MOVED: the store of that line was emptied, and is not made anew yet; STORE_UNAVAILABLE
 */
export async function handOverAccounts(
  lineage: Lineage,
  partition: number,
  untold: readonly Account[],
  library: ModelLibrary,
): Promise<HandedOver[]> {
  const { origin } = lineage
  if (origin === undefined || untold.length === 0) return []
  const from = originPartition(origin, partition)
  const ids = untold.map(({ id }) => id)
  // Around the accounts: one that is missing tells nothing while the store is emptied or filled, and its memory is filled first.
  const stored = await origin.store.readPartition(from)
  const found = await origin.store.load(from, ids)
  const storedOffset = await origin.store.readStoredOffset(from)
  const before = decodePartitionMemory(stored.state, library)
  const isWhole =
    before.promotion?.namespace === lineage.names.namespace &&
    stored.storedOffset > before.promotion.offset &&
    storedOffset > before.promotion.offset
  if (!isWhole)
    throw new UpswellError(
      'STORE_MOVED',
      `the store of ${origin.topic} partition ${from} was emptied or rolled back: what is known of its accounts tells what changed for them with the promotion, so it must be made anew first`,
      { canRetry: true },
    )
  return untold.map((account, i) => {
    const bytes = found[i]
    const known: AccountScores | undefined =
      bytes === undefined ? undefined : decodeScores(account.id, bytes, before.modelSets)
    return { account, events: eventsToAnnounce(known?.standings ?? [], account) }
  })
}
