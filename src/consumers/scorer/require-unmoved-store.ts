import { UpswellError } from '../../lib/errors.ts'
import type { AccountStore } from '../../store/store.ts'

/**
 * A transaction precedes the store's write, so the answers of an emptied or rolled back store must not decide
 * outputs. Asked after the last read: a store that lost something before it has another offset.
 * @throws UpswellError STORE_MOVED, STORE_UNAVAILABLE
 */
export async function requireUnmovedStore(
  store: Pick<AccountStore, 'readStoredOffset'>,
  partition: number,
  stored: number,
): Promise<void> {
  const found = await store.readStoredOffset(partition)
  if (found === stored) return
  throw new UpswellError(
    'STORE_MOVED',
    `the store's partition ${partition} is at offset ${found}, not at ${stored}: it was emptied or rolled back`,
  )
}
