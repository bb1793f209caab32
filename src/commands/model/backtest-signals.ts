import { type DecodeContext, decodeRecord } from '../../log/decode-signals-topic.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { InvalidModelError } from '../../models/problems.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { Signal } from '../../signals/signal.ts'
import { MEMORY_BOUNDS, readOrdered } from '../signal-file/ordered-signals.ts'
import { openSignalFile, type RejectedLine } from '../signal-file/signal-file.ts'
import type { Survey } from '../signal-file/survey.ts'

/** The input of a backtest, in the order of each account's log. */
export type HistoryItem =
  /** `timestamp`: the time of its record, ms. */
  | { readonly type: 'signal'; readonly signal: Signal; readonly timestamp: number }
  /** The log reaches up to `time`, ms. */
  | { readonly type: 'time'; readonly time: number }
  /** A record that is not a signal. */
  | RejectedLine

/**
 * The signals of the log, partition by partition. Ticks only pass the time; ticks of the wall clock are
 * ignored while a partition holds nothing but history. It does not matter which models are active there.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function* signalsOfLog(log: Log, topic: string): AsyncGenerator<HistoryItem> {
  const context = { library: new ModelLibrary(), partitions: await log.partitions(topic) }
  const live = new Set<number>()
  const inHistory = new Set<number>()
  for await (const record of log.readAll(topic)) {
    const { partition, offset } = record
    const decoded = decodeOrSkip(record, context)
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
function decodeOrSkip(record: LogRecord, context: DecodeContext): Decoded | undefined {
  try {
    return decodeRecord(record, context)
  } catch (error) {
    if (error instanceof InvalidModelError) return undefined
    throw error
  }
}

/**
 * The signals of a file, in order of time within each account. Each is observed when it occurred, as with
 * `upswell send --clock event`. Rejected lines go to the survey.
 * @throws UpswellError INPUT_UNREADABLE: the file cannot be opened, or breaks off; INPUT_OUT_OF_ORDER
 */
export async function* signalsOfFile(file: string, survey: Survey): AsyncGenerator<HistoryItem> {
  const input = await openSignalFile(file)
  const { lines } = await readOrdered({ file, input, survey, mustBeInOrder: true, bounds: MEMORY_BOUNDS })
  for await (const { signal } of lines) yield { type: 'signal', signal, timestamp: signal.occurredAt }
}
