import { setImmediate } from 'node:timers/promises'

/** This many counters, for example, take a few ms. */
const ITEMS_PER_TURN = 2000

/** Runs long loops and lets the event loop do other work between their items. */
export interface Yielder {
  each<Item>(items: Iterable<Item>, use: (item: Item) => void): Promise<void>
}

/** It pauses after every `itemsPerTurn` items, counted over all its loops. */
export function createYielder(itemsPerTurn = ITEMS_PER_TURN): Yielder {
  let left = itemsPerTurn
  return {
    each: async (items, use) => {
      for (const item of items) {
        use(item)
        left--
        if (left > 0) continue
        await setImmediate()
        left = itemsPerTurn
      }
    },
  }
}
