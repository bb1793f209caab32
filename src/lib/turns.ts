import { setImmediate } from 'node:timers/promises'

/** Of counters, for example: a few ms of work. */
const ITEMS_PER_TURN = 2000

/** Long work, done so that others get their turn between. */
export interface Turns {
  each<Item>(items: Iterable<Item>, use: (item: Item) => void): Promise<void>
}

export function createTurns(itemsPerTurn = ITEMS_PER_TURN): Turns {
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
