import { afterEach, beforeEach, describe } from 'vitest'
import { accountsContract } from './store/accounts.ts'
import { clearingContract } from './store/clearing.ts'
import { countersContract } from './store/counters.ts'
import { dueIndexContract } from './store/due-index.ts'
import { fillingContract } from './store/filling.ts'
import { progressContract } from './store/progress.ts'
import { rankedListContract } from './store/ranked-list.ts'
import { savesContract } from './store/saves.ts'
import type { OpenedStore } from './store/store-fixtures.ts'

/**
 * What every account store does.
 * @param open gives an empty store; called before each test
 */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name}: the account store`, () => {
    let current: OpenedStore
    const opened = () => current

    beforeEach(async () => {
      current = await open()
    })

    afterEach(async () => {
      await current.close()
    })

    savesContract(opened)
    accountsContract(opened)
    dueIndexContract(opened)
    countersContract(opened)
    rankedListContract(opened)
    clearingContract(opened)
    fillingContract(opened)
    progressContract(opened)
  })
}
