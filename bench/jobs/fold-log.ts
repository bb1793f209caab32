import { decodeRecords } from '../../src/log/decode-signals-topic.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import type { ScoringEvent } from '../../src/scoring/events.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import { SignalScanner } from '../../src/signals/scan/scan-signal.ts'
import { ScannedSignals } from '../../src/signals/scan/scanned-signals.ts'
import type { Signal } from '../../src/signals/signal.ts'

/** Folds without a log and a store: one partition, all its accounts in memory. */
export interface MemoryFold {
  readonly accounts: ReadonlyMap<string, Account>
  /** The result is valid until the next call, as in the score loop. */
  decode(records: readonly LogRecord[]): readonly LogEntry[]
  fold(entries: readonly LogEntry[]): ScoringEvent[]
}

/** Folds under one model from the beginning. The first record may have offset 1. */
export function createMemoryFold(model: ModelSource): MemoryFold {
  const library = new ModelLibrary()
  const reading = { scanner: new SignalScanner(), signals: new ScannedSignals() }
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  const fold = (entries: readonly LogEntry[]): ScoringEvent[] =>
    foldBatch(entries, memory, accounts).events.map(({ event }) => event)
  fold([{ type: 'models', offset: 0, at: 0, models: library.compileAll([model]) }])
  return {
    accounts,
    fold,
    decode: records => {
      reading.signals.clear()
      const { entries, rejections } = decodeRecords(
        records,
        0,
        records.length,
        { library, partitions: 1 },
        reading,
      )
      for (const { record, rejection } of rejections)
        throw new Error(`offset ${record.offset}: ${rejection.detail}`)
      return entries
    },
  }
}

/** The signals as a log delivers them, beginning at offset 1. */
export function historyRecords(signals: Iterable<Signal>): LogRecord[] {
  const records: LogRecord[] = []
  for (const signal of signals) {
    const {
      key,
      value,
      headers = {},
      timestamp,
    } = signalRecord('signals', signal, signal.occurredAt, 'event')
    records.push({
      topic: 'signals',
      partition: 0,
      offset: records.length + 1,
      timestamp: timestamp!,
      key: Buffer.from(key!),
      value: Buffer.from(value!),
      headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
      headerList: Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
    })
  }
  return records
}

export function cutIntoBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = []
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size))
  return batches
}
