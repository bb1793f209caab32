import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../src/consumers/backend.ts'

/**
 * Waits until the store holds all records that are in the topic now.
 * @throws Error if a partition is not stored within `patienceMs`
 */
export async function untilStored({ log, store }: Backend, topic: string, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (const [partition, { end }] of await log.ranges(topic)) {
    // The last offset may belong to the end of a transaction, which is in no batch.
    while ((await store.readStoredOffset(partition)) < end - 1) {
      if (performance.now() > deadline)
        throw new Error(`partition ${partition} was not scored to its end within ${patienceMs / 1000} s`)
      await sleep(100)
    }
  }
}
