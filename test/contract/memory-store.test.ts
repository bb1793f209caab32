import { MemoryStore } from '../support/memory-store.ts'
import { storeContract } from './store-contract.ts'

storeContract('in memory', async () => {
  const store = new MemoryStore()
  return { store, close: () => store.close(), empty: async () => store.empty() }
})
