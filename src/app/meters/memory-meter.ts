import { Counter, Gauge, type Registry } from 'prom-client'
import type { ProcessMemory } from '../process-memory.ts'

/** Reads what each part of the memory holds when metrics are asked for. */
export function meterMemory(
  registry: Registry,
  { accounts, fetched, requests, budget }: ProcessMemory,
): void {
  const parts = [
    { part: 'accounts', limit: budget.accountsBytes, held: () => accounts.heldBytes, shortages: accounts },
    { part: 'fetched', limit: budget.fetchedBytes, held: () => fetched.leased, shortages: fetched },
    { part: 'requests', limit: budget.requestsBytes, held: () => requests.leased, shortages: requests },
  ]
  const common = { labelNames: ['part'] as const, registers: [registry] }
  const limit = new Gauge({
    ...common,
    name: 'upswell_memory_limit_bytes',
    help: 'What accounts, answers of the brokers and requests may take in memory',
  })
  for (const { part, limit: bytes } of parts) limit.set({ part }, bytes)
  new Gauge({
    ...common,
    name: 'upswell_memory_held_bytes',
    help: 'What accounts, answers of the brokers and requests take in memory, about',
    collect() {
      for (const { part, held } of parts) this.set({ part }, held())
    },
  })
  new Counter({
    ...common,
    name: 'upswell_memory_shortages_total',
    help: 'How often work waited for memory, or was cut into small pieces for want of it',
    collect() {
      this.reset()
      for (const { part, shortages } of parts) this.inc({ part }, shortages.shortages)
    },
  })
}
