import type { AccountStore } from '../../store/store.ts'

export type LoadAccounts = AccountStore['load']

interface Waiting {
  readonly accountIds: readonly string[]
  readonly resolve: (states: (Uint8Array | undefined)[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Joins the loads of one turn of the event loop into one call for each partition. A call for each load was a
 * quarter of the cost of an answer. The busier the process, the more loads share a call; a single load does
 * not wait.
 */
export function sharedLoads(store: Pick<AccountStore, 'load'>): LoadAccounts {
  let waiting = new Map<number, Waiting[]>()
  const loadWaiting = (): void => {
    const all = waiting
    waiting = new Map()
    for (const [partition, loads] of all) void loadTogether(store, partition, loads)
  }
  return (partition, accountIds) =>
    new Promise((resolve, reject) => {
      // After the requests that have already arrived: they are read one after the other.
      if (waiting.size === 0) setImmediate(loadWaiting)
      const load = { accountIds, resolve, reject }
      const others = waiting.get(partition)
      if (others === undefined) waiting.set(partition, [load])
      else others.push(load)
    })
}

async function loadTogether(
  store: Pick<AccountStore, 'load'>,
  partition: number,
  loads: readonly Waiting[],
): Promise<void> {
  try {
    const states = await store.load(
      partition,
      loads.flatMap(({ accountIds }) => accountIds),
    )
    let from = 0
    for (const { accountIds, resolve } of loads) {
      resolve(states.slice(from, from + accountIds.length))
      from += accountIds.length
    }
  } catch (error) {
    for (const { reject } of loads) reject(error)
  }
}
