import { collectGarbage, peakRssBytes, startClock, type Usage } from '../machine/measure.ts'
import { readModel } from '../signals/models.ts'
import { benchSignals } from '../signals/signals.ts'
import { createMemoryFold, cutIntoBatches, historyRecords } from './fold-log.ts'
import type { FoldJob, Measurement } from './jobs.ts'
import { sizeOfState } from './state-size.ts'

const BATCH_SIZE = 500

export function runFold({ model, signals }: FoldJob): Measurement {
  const memory = createMemoryFold(readModel(model))
  const batches = cutIntoBatches(historyRecords(benchSignals(signals)), BATCH_SIZE)
  collectGarbage()
  const decoding: Usage[] = []
  const folding: Usage[] = []
  let tierChanges = 0
  for (const batch of batches) {
    const readClock = startClock()
    const entries = memory.decode(batch)
    decoding.push(readClock())
    const readFoldClock = startClock()
    const events = memory.fold(entries)
    folding.push(readFoldClock())
    for (const event of events) if (event.type === 'tier-change') tierChanges++
  }
  const foldAlone = sumOf(folding)
  const all = sumOf([...decoding, foldAlone])
  const state = { model, ...sizeOfState(memory.accounts.values()) }
  return { ...all, foldAlone, tierChanges, peakRssBytes: peakRssBytes(), state }
}

function sumOf(usages: readonly Usage[]): Usage {
  return {
    seconds: usages.reduce((sum, { seconds }) => sum + seconds, 0),
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
}
