import type { Account } from '../../scoring/account.ts'
import type { FoldResult } from '../../scoring/fold.ts'
import { CounterChanges } from '../../scoring/population/counters.ts'

/** What was folded in memory since the last flush. */
export class DirtyAccounts {
  readonly accounts = new Set<Account>()
  readonly #counts = new CounterChanges()
  /** Their scores are published even if unchanged: another lineage publishes them now. */
  readonly announced = new Set<Account>()
  hasMemoryChanged = false
  /** Sum of the accounts' cores as the store holds them. */
  sizeBytes = 0
  /** Chunks that were loaded since the last flush (`LoadedAccounts`). */
  loadedChunks = 0

  /** `sizeOf`: bytes of an account in the store. */
  add({ touched, counts, hasMemoryChanged }: FoldResult, sizeOf: (account: Account) => number): void {
    for (const account of touched) {
      if (this.accounts.has(account)) continue
      this.accounts.add(account)
      this.sizeBytes += sizeOf(account)
    }
    this.#counts.addAll(counts)
    this.hasMemoryChanged ||= hasMemoryChanged
  }

  get counts(): FoldResult['counts'] {
    return this.#counts.list()
  }
}
