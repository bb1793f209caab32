import { Gauge, type Registry } from 'prom-client'
import type { Lag } from '../../api/routes/operations.ts'
import type { BackendMeters } from '../../consumers/backend.ts'
import type { ScorerMeter } from '../../consumers/scorer/scorer-meter.ts'
import type { Log } from '../../log/log.ts'
import type { ProcessMemory } from '../process-memory.ts'
import { LagWatch, type LagWatchOptions } from './lag-watch.ts'
import { createLogMeter, type OpenLogMeter } from './log-meter.ts'
import { meterMemory } from './memory-meter.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { createScorerMeter } from './scorer-meter.ts'
import { createStoreMeter } from './store-meter.ts'

/** The meters of one process, or of one score thread. */
export interface Meters extends BackendMeters {
  readonly log: OpenLogMeter
  readonly scorer: ScorerMeter
}

export function createMeters(registry: Registry, memory: ProcessMemory): Meters {
  meterMemory(registry, memory)
  return {
    log: createLogMeter(registry),
    store: createStoreMeter(registry),
    scorer: createScorerMeter(registry),
  }
}

/** Measures how far this process, or thread, is behind the log. Returns a function that stops it. */
export function watchLag(
  registry: Registry,
  meters: Meters,
  log: Log,
  options: Pick<LagWatchOptions, 'now' | 'logger'>,
): () => void {
  const watch = new LagWatch({ log, positions: meters.log.positions, ...options })
  const labelNames = ['group', 'topic', 'partition'] as const
  const gauge = (name: string, help: string, unit: 'records' | 'seconds') =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.reset()
        for (const { group, topic, partition, ...lag } of watch.lags())
          this.set({ group, topic, partition }, lag[unit])
      },
    })
  gauge(
    LAG_RECORDS,
    'Records from the last processed one to the end of the log, by consumer group and partition',
    'records',
  )
  gauge(
    LAG_SECONDS,
    'Age of the last processed record while there is a lag, but no more than the time since there was none; 0: no lag',
    'seconds',
  )
  return watch.start()
}

/** The lag of the whole process; undefined: it reads nothing, or does not know yet. */
export async function readLag(registry: ProcessRegistry): Promise<Lag | undefined> {
  const records = await registry.values(LAG_RECORDS)
  if (records.length === 0) return undefined
  const seconds = await registry.values(LAG_SECONDS)
  return { records: records.reduce((sum, lag) => sum + lag, 0), seconds: Math.round(Math.max(...seconds)) }
}

const LAG_RECORDS = 'upswell_lag_records'
const LAG_SECONDS = 'upswell_lag_seconds'
