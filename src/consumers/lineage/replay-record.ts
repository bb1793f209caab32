import { recordKind } from '../../log/decode-records.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import type { ModelSource } from '../../models/model-library.ts'

/**
 * What a replay is, as the first record of each partition of its own `signals`. It stands in the log, so that whoever goes on with the replay, on any
 * machine and after any loss, goes on with the same one.
 */
export interface Replay {
  /** As the user calls it. */
  readonly name: string
  /** Whose `signals` it reads: the name of that topic, and how many partitions it has. */
  readonly origin: { readonly topic: string; readonly partitions: number; readonly namespace: string }
  /** Records of this time and later ones, ms. Null: from the beginning. */
  readonly from: number | null
  /** Records before this time, ms. Null: it follows the log. */
  readonly to: number | null
  /** The models that it scores with, from its first record on. Null: those that the log itself names, each from its own place on. */
  readonly models: readonly ModelSource[] | null
}

/** Undefined if the record is none. */
function decodeReplay(record: LogRecord): Replay | undefined {
  return recordKind(record) === 'replay' ? (JSON.parse(String(record.value)) as Replay) : undefined
}

/** How many records are looked at for the first one: markers and aborted ones take offsets too. */
const FIRST_RECORDS = 100

/** The replay that writes this topic; undefined if none does. @throws UpswellError LOG_UNAVAILABLE */
export async function readReplay(log: Log, signalsTopic: string): Promise<Replay | undefined> {
  if (!(await log.topics()).includes(signalsTopic)) return undefined
  for await (const record of log.read(signalsTopic, [{ partition: 0, from: 0, to: FIRST_RECORDS }]))
    return decodeReplay(record)
  return undefined
}
