import { MemoryStore } from '../support/memory-store.ts'
import { storeContract } from './store-contract.ts'

storeContract('in memory', async () => {
  const store = new MemoryStore()
  const inNamespace = () => new MemoryStore()
  const empty = async () => store.empty()
  return { store, inNamespace, close: () => store.close(), clearsAtOnce: true, empty }
})
