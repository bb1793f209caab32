import { createMemoryFold, cutIntoBatches, historyRecords } from './fold-log.ts'
import type { FoldJob, Measurement } from './jobs.ts'
import { collectGarbage, peakRssBytes, startClock } from './measure.ts'
import { readModel } from './models.ts'
import { benchSignals } from './signals.ts'
import { sizeOfState } from './state-size.ts'

const BATCH_SIZE = 500

export function runFold({ model, decode, signals }: FoldJob): Measurement {
  const memory = createMemoryFold(readModel(model))
  const batches = cutIntoBatches(historyRecords(benchSignals(signals)), BATCH_SIZE)
  const decoded = decode ? undefined : batches.map(memory.decode)
  collectGarbage()
  const readClock = startClock()
  let tierChanges = 0
  for (const [i, batch] of batches.entries()) {
    for (const event of memory.fold(decoded?.[i] ?? memory.decode(batch)))
      if (event.type === 'tier-change') tierChanges++
  }
  const usage = readClock()
  const state = { model, ...sizeOfState(memory.accounts.values()) }
  return { ...usage, tierChanges, peakRssBytes: peakRssBytes(), state }
}
