import { UpswellError } from '../../lib/errors.ts'
import type { AccountStore } from '../../store/store.ts'

/**
 * A transaction goes before the store's write, so what an emptied or rolled back store answered must not decide outputs. Asked behind the last
 * read: had the store lost anything before it, its watermark would be another.
 * @throws UpswellError STORE_MOVED
 */
export async function checkStore(
  store: AccountStore,
  partition: number,
  storedOffset: number,
): Promise<void> {
  const found = await store.readStoredOffset(partition)
  if (found === storedOffset) return
  throw new UpswellError(
    'STORE_MOVED',
    `the store's partition ${partition} stands at ${found}, not at ${storedOffset}: it was emptied or rolled back`,
  )
}
