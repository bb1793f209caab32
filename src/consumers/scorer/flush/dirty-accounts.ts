import type { Account } from '../../../scoring/account.ts'
import type { FoldResult } from '../../../scoring/fold.ts'
import { CounterChanges } from '../../../scoring/population/counters.ts'

/** What was folded in memory since the last flush. */
export class DirtyAccounts {
  readonly accounts = new Set<Account>()
  readonly #counts = new CounterChanges()
  /** Their scores are published even if unchanged: another lineage publishes them now. */
  readonly announced = new Set<Account>()
  hasMemoryChanged = false
  /** What they take in memory, about: the accounts, and what they got since the last flush. */
  memoryBytes = 0

  /** @param memoryOf what an account took in memory when it was saved last, in bytes */
  add({ touched, counts, hasMemoryChanged }: FoldResult, memoryOf: (account: Account) => number): void {
    for (const account of touched) {
      if (this.accounts.has(account)) continue
      this.accounts.add(account)
      this.memoryBytes += memoryOf(account)
    }
    this.#counts.addAll(counts)
    this.hasMemoryChanged ||= hasMemoryChanged
  }

  get counts(): FoldResult['counts'] {
    return this.#counts.list()
  }
}
