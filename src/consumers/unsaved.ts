import type { Account } from '../scoring/account.ts'
import type { FoldResult } from '../scoring/fold.ts'
import { CounterChanges } from '../scoring/population/counters.ts'

/** What was folded in memory since the store was last written. */
export class Unsaved {
  readonly accounts = new Set<Account>()
  readonly #counts = new CounterChanges()
  /** Their scores go out even if they are as the store has them: the line that they are published by is another one now. */
  readonly toldOf = new Set<Account>()
  memoryChanged = false

  add({ touched, counts, memoryChanged }: FoldResult): void {
    for (const account of touched) this.accounts.add(account)
    for (const { book, field, delta } of counts) this.#counts.add(book, field, delta)
    this.memoryChanged ||= memoryChanged
  }

  get counts(): FoldResult['counts'] {
    return this.#counts.list()
  }
}
