import { isUpswellError } from '../lib/errors.ts'
import type { AccountStore } from './store.ts'

/**
 * `refused`: the store answered, and did not do it: another owner, another stored offset. `unavailable`: no
 * answer, or an error.
 */
export type StoreResult = 'done' | 'refused' | 'unavailable'

/** What a store reports about its work, for metrics. */
export interface StoreMeter {
  /** A call of the store port ended. `operation`: its name, such as `load`. */
  requested(operation: string, seconds: number, result: StoreResult): void
  /** The connection is back after it was lost. */
  reconnected(): void
}

/** The same store; each call is reported. */
export function meterStore(store: AccountStore, meter: StoreMeter | undefined): AccountStore {
  if (meter === undefined) return store
  const metered = new Map<PropertyKey, unknown>()
  return new Proxy(store, {
    get(_, name) {
      let member = metered.get(name)
      if (member === undefined) {
        member = meterCall(store, name as keyof AccountStore, meter)
        metered.set(name, member)
      }
      return member
    },
  })
}

function meterCall(store: AccountStore, name: keyof AccountStore, meter: StoreMeter): unknown {
  const call: unknown = store[name]
  if (typeof call !== 'function') return call
  return async (...args: unknown[]): Promise<unknown> => {
    const startedAt = performance.now()
    const report = (result: StoreResult): void =>
      meter.requested(name, (performance.now() - startedAt) / 1000, result)
    try {
      const answer: unknown = await call.apply(store, args)
      report('done')
      return answer
    } catch (error) {
      report(
        isUpswellError(error, 'STORE_FENCED', 'STORE_MOVED', 'PARTITIONS_CHANGED')
          ? 'refused'
          : 'unavailable',
      )
      throw error
    }
  }
}
