import { UpswellError } from '../../lib/errors.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import { recordKind } from '../../log/own-records.ts'
import type { ModelSource } from '../../models/model-library.ts'

/**
 * What a replay is: the first record of each partition of its own `signals`. It is in the log, so that a
 * process that continues the replay, on any machine and after any loss, continues the same one.
 */
export interface Replay {
  /** The name that the user gave it. */
  readonly name: string
  /** The lineage whose signals it reads: topic, number of partitions, and namespace. */
  readonly origin: { readonly topic: string; readonly partitions: number; readonly namespace: string }
  /** The earliest time of a record that is copied, ms. Null: from the beginning. */
  readonly from: number | null
  /** Records of this time and later are not copied, ms. Null: the replay follows the log. */
  readonly to: number | null
  /**
   * The models that it scores with from its first record on. Null: the models that the log names, each from
   * its record on.
   */
  readonly models: readonly ModelSource[] | null
  /** Repairs times that were written by a clock far ahead. Null, or absent in older replays: no repair. */
  readonly latest?: TimeLimit | null
}

/** No copy of a record has a later time than `time`, unless its signal occurred later. */
export interface TimeLimit {
  /** ms */
  readonly time: number
  /** The end of each partition of the origin when the replay was begun: later records keep their times. */
  readonly ends: readonly number[]
}

/** Undefined: the record describes no replay. */
function decodeReplay(record: LogRecord): Replay | undefined {
  return recordKind(record) === 'replay' ? (JSON.parse(String(record.value)) as Replay) : undefined
}

/**
 * How many offsets to search for the first record: transaction markers and aborted records take offsets too.
 */
const FIRST_RECORDS = 100

/** The replay that writes this topic; undefined if there is none. @throws UpswellError LOG_UNAVAILABLE */
export async function readReplay(log: Log, signalsTopic: string): Promise<Replay | undefined> {
  if (!(await log.topics()).includes(signalsTopic)) return undefined
  for await (const record of log.read(signalsTopic, [{ partition: 0, from: 0, to: FIRST_RECORDS }]))
    return decodeReplay(record)
  return undefined
}

/**
 * Names may collide: the replay `v2` and another installation with the topic prefix `v2.` have the same
 * topics.
 * @throws UpswellError INVALID_SETTINGS: the topic has records, and no replay wrote the first;
 * LOG_UNAVAILABLE
 */
export async function requireNotForeign(log: Log, signalsTopic: string, name: string): Promise<void> {
  if ((await readReplay(log, signalsTopic)) !== undefined) return
  if (!(await log.topics()).includes(signalsTopic)) return
  for await (const { partition, offset } of log.readAll(signalsTopic))
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${signalsTopic} is not the log of a replay: the record at ${partition}:${offset} comes before any that describes one. Another installation may have this topic. Choose another name than ${name}, or delete the topics ${name}.… yourself`,
    )
}
