import { decodeRecord } from '../../../src/log/decode-signals-topic.ts'
import type { LogRecord, OutgoingRecord } from '../../../src/log/log.ts'
import { deadLetterRecord, eventRecord } from '../../../src/log/output-records.ts'
import type { TopicNames } from '../../../src/log/topic-names.ts'
import type { ModelLibrary } from '../../../src/models/model-library.ts'
import type { Account } from '../../../src/scoring/account.ts'
import type { ScoringEvent } from '../../../src/scoring/events.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { RecordEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { PartitionWrite } from '../../../src/store/store.ts'
import { plainWrite } from '../plain-write.ts'
import type { HistoryRecord, LiveRecord } from '../slow/slow-evaluator.ts'

export interface PlainFold {
  readonly events: readonly ScoringEvent[]
  readonly accounts: ReadonlyMap<string, Account>
  /**
   * Everything that must have been published, except `account-scores`, whose records depend on the batches.
   */
  readonly outputs: readonly OutgoingRecord[]
  /** Everything that the store must hold, as one write. */
  readonly write: PartitionWrite
}

export interface FoldContext {
  readonly library: ModelLibrary
  /** The partitions of `signals`. */
  readonly partitions: number
  readonly topics: TopicNames
}

/** Folds all records of a partition as one batch, from an empty state: no store, no recovery. */
export function foldPlainly(fold: FoldContext, partition: number, records: readonly LogRecord[]): PlainFold {
  const { entries, rejected } = decodeAll(fold, records)
  const { library, topics } = fold
  const memory = createPartitionMemory()
  const accounts = new Map<string, Account>()
  const folded = foldBatch(entries, memory, accounts)
  const storedOffset = (records.at(-1)?.offset ?? -1) + 1
  const context = { fencingToken: '', expectedStoredOffset: 0, storedOffset, memory, library }
  return {
    events: folded.events.map(({ event }) => event),
    accounts,
    outputs: [
      ...rejected,
      ...folded.events.map(({ offset, event }) => eventRecord(topics, event, `${partition}:${offset}`)),
    ],
    write: plainWrite(folded.touched, folded.counts, context),
  }
}

function decodeAll(
  { topics, ...context }: FoldContext,
  records: readonly LogRecord[],
): { readonly entries: readonly RecordEntry[]; readonly rejected: readonly OutgoingRecord[] } {
  const entries: RecordEntry[] = []
  const rejected: OutgoingRecord[] = []
  for (const record of records) {
    const decoded = decodeRecord(record, context)
    if ('entry' in decoded) entries.push(decoded.entry)
    else rejected.push(deadLetterRecord(topics, record, decoded.rejection))
  }
  return { entries, rejected }
}

function loadedIf(isLoaded: boolean): { readonly loaded?: true } {
  return isLoaded ? { loaded: true } : {}
}

/** The partition's log as the slow evaluator reads it. */
export function historyOf(
  context: FoldContext,
  records: readonly LogRecord[],
): (HistoryRecord | LiveRecord)[] {
  const history: (HistoryRecord | LiveRecord)[] = []
  for (const entry of decodeAll(context, records).entries) {
    switch (entry.type) {
      case 'signal':
        history.push({ timestamp: entry.timestamp, signal: entry.signal, ...loadedIf(entry.history) })
        break
      case 'tick':
        // More slices would pass time for some accounts only.
        if (entry.of !== 1) throw new Error(`a tick of ${entry.of} slices; the test has few accounts`)
        history.push({ timestamp: entry.timestamp, tick: true, ...loadedIf(entry.clock === 'event') })
        break
      case 'models':
        history.push({ timestamp: entry.at, models: entry.models.map(({ definition }) => definition) })
        break
      case 'live':
        history.push({ timestamp: 0, live: true })
        break
      case 'promotion':
        break
      default:
        entry satisfies never
    }
  }
  return history
}
