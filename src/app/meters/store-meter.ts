import { Counter, Histogram, type Registry } from 'prom-client'
import type { StoreMeter } from '../../store/meter-store.ts'
import { DURATION_BUCKETS } from './duration-buckets.ts'

/** Exposes a store's work. */
export function createStoreMeter(registry: Registry): StoreMeter {
  const requests = new Histogram({
    name: 'upswell_store_request_duration_seconds',
    help: 'Time of a call of the store (Redis, or LMDB embedded), by call and result; a long one takes several round trips',
    labelNames: ['operation', 'result'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  })
  const reconnects = new Counter({
    name: 'upswell_store_reconnects_total',
    help: 'How often the connection to Redis was lost and is back',
    registers: [registry],
  })
  return {
    requested: (operation, seconds, result) => requests.observe({ operation, result }, seconds),
    reconnected: () => reconnects.inc(),
  }
}
