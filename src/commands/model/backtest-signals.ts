import { decodeRecord } from '../../log/decode-signals-topic.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { InvalidModelError } from '../../models/problems.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { Signal } from '../../signals/signal.ts'
import { openSignalFile, readSignalFile, type SignalLine } from '../signal-file.ts'

/** The input of a backtest, in the order of each account's log. */
export type HistoryItem =
  /** `timestamp`: the time of its record, ms. */
  | { readonly type: 'signal'; readonly signal: Signal; readonly timestamp: number }
  /** The log reaches up to `time`, ms. */
  | { readonly type: 'time'; readonly time: number }
  /** A record or line that is not a signal. */
  | Extract<SignalLine, { type: 'rejected' }>

/**
 * The signals of the log, partition by partition. Ticks only pass the time; ticks of the wall clock are
 * ignored while a partition holds nothing but history. It does not matter which models are active there.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function* signalsOfLog(log: Log, topic: string): AsyncGenerator<HistoryItem> {
  const library = new ModelLibrary()
  const live = new Set<number>()
  const inHistory = new Set<number>()
  for await (const record of log.readAll(topic)) {
    const { partition, offset } = record
    const decoded = decodeOrSkip(record, library)
    if (decoded === undefined) continue
    if ('rejection' in decoded) {
      const { code, detail } = decoded.rejection
      yield { type: 'rejected', where: `${topic} ${partition}:${offset}`, why: `${code}: ${detail}` }
      continue
    }
    const { entry } = decoded
    const endsHistory =
      entry.type === 'live' ? inHistory.has(partition) : entry.type === 'signal' && !entry.history
    if (endsHistory) {
      live.add(partition)
      inHistory.delete(partition)
    }
    if (entry.type === 'signal') {
      if (!live.has(partition)) inHistory.add(partition)
      yield { type: 'signal', signal: entry.signal, timestamp: entry.timestamp }
    } else if (entry.type === 'tick' && (entry.clock === 'event' || !inHistory.has(partition)))
      yield { type: 'time', time: entry.timestamp }
  }
}

type Decoded = { readonly entry: LogEntry } | Extract<ReturnType<typeof decodeRecord>, { rejection: unknown }>

/** Undefined: a record of old models that this version cannot read. A backtest does not need it. */
function decodeOrSkip(record: LogRecord, library: ModelLibrary): Decoded | undefined {
  try {
    return decodeRecord(record, library)
  } catch (error) {
    if (error instanceof InvalidModelError) return undefined
    throw error
  }
}

/**
 * The signals of a file. Each is observed when it occurred, as with `upswell send --clock event`.
 * @throws UpswellError INPUT_UNREADABLE: the file cannot be opened, or breaks off
 */
export async function* signalsOfFile(file: string): AsyncGenerator<HistoryItem> {
  const input = await openSignalFile(file)
  for await (const line of readSignalFile(input, file))
    yield line.type === 'signal' ? { ...line, timestamp: line.signal.occurredAt } : line
}
