import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { describeError, UpswellError } from '../../lib/errors.ts'
import { decodeRecord } from '../../log/decode-records.ts'
import type { Log, LogRecord } from '../../log/log.ts'

import { ModelLibrary } from '../../models/model-library.ts'
import { InvalidModelError } from '../../models/problems.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import { parseSignal } from '../../signals/parse-signal.ts'
import type { Signal } from '../../signals/signal.ts'
import { isBlank, readLines } from '../read-lines.ts'

/** What a backtest reads, in the order of each account's log. */
export type HistoryItem =
  /** `timestamp`: its record's, ms. */
  | { readonly type: 'signal'; readonly signal: Signal; readonly timestamp: number }
  /** The log reaches up to there, ms. */
  | { readonly type: 'time'; readonly time: number }
  /** What is no signal; `where` it stands. */
  | { readonly type: 'rejected'; readonly where: string; readonly why: string }

/**
 * The signals of the log, partition by partition. Ticks are time alone, and the wall clock's do not count amid loaded history; which models are
 * active there does not matter.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function* signalsOfLog(log: Log, topic: string): AsyncGenerator<HistoryItem> {
  const library = new ModelLibrary()
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
    if (entry.type === 'signal') {
      if (entry.history) inHistory.add(partition)
      else inHistory.delete(partition)
      yield { type: 'signal', signal: entry.signal, timestamp: entry.timestamp }
    } else if (entry.type === 'live') inHistory.delete(partition)
    else if (entry.type === 'tick' && (entry.clock === 'event' || !inHistory.has(partition)))
      yield { type: 'time', time: entry.timestamp }
  }
}

type Decoded = { readonly entry: LogEntry } | Extract<ReturnType<typeof decodeRecord>, { rejection: unknown }>

/** Undefined: a record of models of a time before, which this version cannot read and a backtest need not. */
function decodeOrSkip(record: LogRecord, library: ModelLibrary): Decoded | undefined {
  try {
    return decodeRecord(record, library)
  } catch (error) {
    if (error instanceof InvalidModelError) return undefined
    throw error
  }
}

/**
 * The signals of a file, each observed when it occurred, as `upswell send --clock event` loads them.
 * @throws UpswellError INPUT_UNREADABLE: it cannot be opened, or breaks off
 */
export async function* signalsOfFile(file: string): AsyncGenerator<HistoryItem> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file)
  let number = 0
  const unpacked = file.endsWith('.gz') ? pipeline(input, createGunzip(), () => {}) : input
  const failure = (error: unknown): UpswellError => {
    const where = number === 0 ? file : `${file} beyond line ${number}`
    return new UpswellError('INPUT_UNREADABLE', `cannot read ${where}: ${describeError(error)}`, {
      cause: error,
    })
  }
  for await (const line of readLines(unpacked, failure)) {
    number++
    if (isBlank(line)) continue
    const parsed = parseSignal(line, { observedAt: Date.now(), defaultKind: undefined })
    if ('signal' in parsed) {
      yield { type: 'signal', signal: parsed.signal, timestamp: parsed.signal.occurredAt }
      continue
    }
    const { code, detail } = parsed.rejection
    yield { type: 'rejected', where: `${file}:${number}`, why: `${code}: ${detail}` }
  }
}
