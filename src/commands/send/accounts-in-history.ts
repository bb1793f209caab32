import { HISTORY_DUE } from '../../scoring/history.ts'
import type { ReadableStore } from './accounts-ahead.ts'

/**
 * How many accounts of the store are in history, in all partitions: the end of a load reaches the accounts of
 * earlier loads too. 0 if the store cannot be reached.
 */
export async function countInHistory(store: ReadableStore): Promise<number> {
  try {
    const partitions = (await store.partitions()) ?? 0
    let accounts = 0
    for (let partition = 0; partition < partitions; partition++)
      accounts += await store.countDue(partition, HISTORY_DUE.upTo, HISTORY_DUE.from)
    return accounts
  } catch {
    return 0
  }
}
