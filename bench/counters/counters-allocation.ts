import { writeFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'
import type { ModelSource } from '../../src/models/model-library.ts'
import { createMemoryFold, cutIntoBatches, historyRecords } from '../jobs/fold-log.ts'
import { benchSignals } from '../signals/signals.ts'

/**
 * Counts the bytes that decoding and folding a signal allocates: the growth of a heap that is large enough to
 * need no collection. `counters-measure.ts` starts it in its own process, with the Node flags that this
 * needs.
 */
export interface AllocationJob {
  readonly model: ModelSource
  readonly seed: number
}

export interface Allocation {
  readonly signals: number
  readonly decodeBytes: number
  readonly foldBytes: number
  /** If there was one, the byte counts are too low. */
  readonly collections: number
}

/** Before counting begins, hot code is compiled and the stream's accounts and names are known. */
const WARM_UP = 10_000
const COUNTED = 5_000
const BATCH_SIZE = 500
const YOUNG_SPACES: ReadonlySet<string> = new Set(['new_space', 'new_large_object_space'])

const { model, seed } = JSON.parse(process.argv[2]!) as AllocationJob
const memory = createMemoryFold(model)
const batches = cutIntoBatches(historyRecords(benchSignals({ count: WARM_UP + COUNTED, seed })), BATCH_SIZE)
const warmUp = batches.splice(0, WARM_UP / BATCH_SIZE)
for (const batch of warmUp) memory.fold(memory.decode(batch))

let collections = 0
const observer = new PerformanceObserver(list => {
  collections += list.getEntries().length
})
observer.observe({ entryTypes: ['gc'] })
;(globalThis as { gc?: () => void }).gc?.()
await new Promise(resolve => setTimeout(resolve, 20))
collections = 0

let decodeBytes = 0
let foldBytes = 0
for (const batch of batches) {
  const before = allocatedBytes()
  const entries = memory.decode(batch)
  const between = allocatedBytes()
  memory.fold(entries)
  foldBytes += allocatedBytes() - between
  decodeBytes += between - before
}
await new Promise(resolve => setTimeout(resolve, 20))
const allocation: Allocation = { signals: COUNTED, decodeBytes, foldBytes, collections }
writeFileSync(1, JSON.stringify(allocation))

/**
 * Counts what the program allocated, since nothing is collected: objects, which begin in the young
 * generation, and buffers. V8 puts its own data (code, caches) into other spaces, and not always at the same
 * time.
 */
function allocatedBytes(): number {
  let bytes = process.memoryUsage().arrayBuffers
  for (const { space_name, space_used_size } of getHeapSpaceStatistics())
    if (YOUNG_SPACES.has(space_name)) bytes += space_used_size
  return bytes
}
