import type { Account } from '../../scoring/account.ts'
import type { FoldResult } from '../../scoring/fold.ts'
import { CounterChanges } from '../../scoring/population/counters.ts'

/** What was folded in memory since the store was last written. */
export class Unsaved {
  readonly accounts = new Set<Account>()
  readonly #counts = new CounterChanges()
  /** Their scores go out even if they are as the store has them: the line that they are published by is another one now. */
  readonly toldOf = new Set<Account>()
  memoryChanged = false
  /** Of the accounts' cores, as the store has them. */
  sizeBytes = 0
  /** Of users, loaded since. */
  loadedChunks = 0

  /** `sizeOf`: bytes of an account in the store. */
  add({ touched, counts, memoryChanged }: FoldResult, sizeOf: (account: Account) => number): void {
    for (const account of touched) {
      if (this.accounts.has(account)) continue
      this.accounts.add(account)
      this.sizeBytes += sizeOf(account)
    }
    this.#counts.addAll(counts)
    this.memoryChanged ||= memoryChanged
  }

  get counts(): FoldResult['counts'] {
    return this.#counts.list()
  }
}
