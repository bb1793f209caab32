import type { Registry } from 'prom-client'
import { RequestsUnderWay } from '../../src/api/plugins/requests-under-way.ts'
import { servedFrom } from '../../src/api/read/served.ts'
import { createApi } from '../../src/api/server.ts'
import { memoryBudget } from '../../src/app/memory-budget.ts'
import { createMeters, watchLag } from '../../src/app/meters/meters.ts'
import { createMetrics } from '../../src/app/metrics.ts'
import { ProcessMemory } from '../../src/app/process-memory.ts'
import { ByteQuota } from '../../src/lib/byte-quota.ts'
import type { Log } from '../../src/log/log.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { MemoryStore } from '../support/memory-store.ts'

const MEMORY = new ProcessMemory(
  memoryBudget({
    settingMib: 512,
    containerBytes: undefined,
    machineBytes: 2 ** 34,
    heapBytes: 2 ** 31,
    threads: 1,
  }),
)

export interface ExportedMetric {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

/** Every metric that a process of Upswell exports, in the order of their names. */
export async function exportedMetrics(): Promise<ExportedMetric[]> {
  const clock = { isInDoubt: () => false, aheadMs: () => 0 }
  const { registry } = createMetrics(
    () => 0,
    async () => [],
    clock,
    () => new Map(),
  )
  const meters = createMeters(registry, MEMORY)
  const logger = { info: () => {}, warn: () => {}, error: () => {} }
  watchLag(registry, meters, {} as Log, { now: Date.now, logger })()
  createApi({
    served: servedFrom(
      () => ({ store: new MemoryStore(), publishedOffsets: async () => new Map() }),
      new ModelLibrary(),
    ),
    appendSignals: async () => [],
    endOfLog: async () => undefined,
    requests: new RequestsUnderWay(),
    memory: new ByteQuota(1),
    problems: async () => [],
    metrics: registry,
    now: Date.now,
    logger,
  })
  return (await describeMetrics(registry)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function describeMetrics(registry: Registry): Promise<ExportedMetric[]> {
  const found = registry.getMetricsAsArray() as unknown as {
    readonly name: string
    readonly help: string
    readonly labelNames?: readonly string[]
  }[]
  return await Promise.all(
    found.map(async ({ name, help, labelNames: labels = [] }) => {
      const { type } = (await registry.getSingleMetric(name)!.get()) as unknown as { readonly type: string }
      return { name, type, labels, help }
    }),
  )
}
