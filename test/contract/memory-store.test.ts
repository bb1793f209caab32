import { MemoryStore } from '../support/memory-store.ts'
import { storeContract } from './store-contract.ts'

storeContract('in memory', async () => {
  const store = new MemoryStore()
  const inNamespace = () => new MemoryStore()
  return { store, inNamespace, close: () => store.close(), empty: async () => store.empty() }
})
