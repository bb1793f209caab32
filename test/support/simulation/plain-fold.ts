import { decodeRecord } from '../../../src/log/decode-signals-topic.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import type { ModelLibrary } from '../../../src/models/model-library.ts'
import type { Account } from '../../../src/scoring/account.ts'
import { type FoldedEvent, foldBatch } from '../../../src/scoring/fold.ts'
import type { RecordEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { plainWrite } from '../plain-write.ts'
import type { HistoryRecord, LiveRecord } from '../slow/slow-evaluator.ts'
import { contentsOf, type StoreContents } from './journaled-store.ts'

/** A partition of the log folded from its beginning in one call: no store, no restarts, no batches. */
export interface PlainFold {
  readonly events: readonly FoldedEvent[]
  readonly accounts: ReadonlyMap<string, Account>
  readonly contents: StoreContents
  /** Offsets of unusable records. */
  readonly rejected: readonly number[]
  readonly history: readonly (HistoryRecord | LiveRecord)[]
  /**
   * Whether no record is earlier than a tick before it. Then the slow evaluator, which has no store and no
   * batches either, must agree.
   */
  readonly isMonotone: boolean
}

/** @param partitions of the topic */
export function foldPlainly(
  records: readonly LogRecord[],
  library: ModelLibrary,
  partitions: number,
): PlainFold {
  const entries: RecordEntry[] = []
  const rejected: number[] = []
  for (const record of records) {
    const decoded = decodeRecord(record, { library, partitions })
    if ('entry' in decoded) entries.push(decoded.entry)
    else rejected.push(record.offset)
  }
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  const { events, touched, counts, hasMemoryChanged } = foldBatch(entries, memory, accounts)
  const write = plainWrite(touched, counts, {
    fencingToken: '',
    expectedStoredOffset: 0,
    storedOffset: records.length === 0 ? 0 : records.at(-1)!.offset + 1,
    memory: hasMemoryChanged ? memory : undefined,
    library,
  })
  const history = historyOf(entries)
  const isMonotone = timeNeverGoesBack(history) && !hasCoarseTicks(entries)
  return { events, accounts, contents: contentsOf([write]), rejected, history, isMonotone }
}

/** The log as the slow evaluator reads it. */
function historyOf(entries: readonly RecordEntry[]): (HistoryRecord | LiveRecord)[] {
  return entries.flatMap((entry): (HistoryRecord | LiveRecord)[] => {
    switch (entry.type) {
      case 'signal':
        return [
          {
            timestamp: entry.timestamp,
            signal: entry.signal,
            ...(entry.history ? { loaded: true as const } : {}),
          },
        ]
      case 'tick':
        return [
          {
            timestamp: entry.timestamp,
            tick: true,
            ...(entry.clock === 'event' ? { loaded: true as const } : {}),
          },
        ]
      case 'models':
        return [{ timestamp: entry.at, models: entry.models.map(({ definition }) => definition) }]
      case 'live':
        return [{ timestamp: 0, live: true }]
      case 'promotion':
        return []
      default:
        return entry satisfies never
    }
  })
}

/**
 * Whether a tick has fewer slices than a `live` record before it asks for: it leaves released accounts alone,
 * which the slow evaluator does not know.
 */
function hasCoarseTicks(entries: readonly RecordEntry[]): boolean {
  let slices = 1
  for (const entry of entries) {
    if (entry.type === 'live') slices = Math.max(slices, entry.slices)
    if (entry.type !== 'tick' || entry.clock !== 'wall') continue
    if (entry.scope === 'due' && entry.of < slices) return true
    // The release has ended.
    if (entry.slice === entry.of - 1) slices = 1
  }
  return false
}

/**
 * Whether no account meets a record that is earlier than a tick which passed its time. The accounts in
 * history have ticks of their own.
 */
function timeNeverGoesBack(history: readonly (HistoryRecord | LiveRecord)[]): boolean {
  /** Account → the latest tick that passed its time. */
  const ticked = new Map<string, number>()
  const inHistory = new Set<string>()
  for (const record of history) {
    if ('live' in record) {
      inHistory.clear()
    } else if ('tick' in record) {
      for (const [id, before] of ticked)
        if (inHistory.has(id) === (record.loaded === true)) ticked.set(id, Math.max(before, record.timestamp))
    } else if ('models' in record) {
      for (const [id, before] of ticked)
        if (inHistory.has(id) ? before > Number.NEGATIVE_INFINITY : before > record.timestamp) return false
    } else {
      const { accountId, occurredAt } = record.signal
      const before = ticked.get(accountId)
      if (before !== undefined && before > Math.max(record.timestamp, occurredAt)) return false
      if (before === undefined) ticked.set(accountId, Number.NEGATIVE_INFINITY)
      if (record.loaded !== true) inHistory.delete(accountId)
      else if (before === undefined) inHistory.add(accountId)
    }
  }
  return true
}
