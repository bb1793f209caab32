import { isOwnRecord, readPromotion, recordKind } from '../../log/decode-records.ts'
import type { LogRecord, OutgoingRecord } from '../../log/log.ts'
import { liveRecord } from '../../log/make-records.ts'
import { partitionOf } from '../../log/partition-of.ts'
import type { Replay } from './replay-record.ts'

/** On every copy: `partition:offset` of the record that it is a copy of. */
const ORIGIN_HEADER = 'upswell-origin'

export interface CopyTarget {
  readonly replay: Replay
  readonly topic: string
  /** A multiple of the origin's: then each partition has its records from one of the origin's, in that one's order. */
  readonly partitions: number
  /** Of the replay's line. */
  readonly namespace: string
}

/** What goes into the replay's log for a record of its origin's: with the same time, key, value and headers, so that it scores the same. */
export function copyRecord(record: LogRecord, target: CopyTarget): OutgoingRecord[] {
  const { replay, namespace } = target
  // What a stranger writes under our header concerns nobody: it goes to one dead-letter, as any record that nobody can read.
  switch (isOwnRecord(record) ? recordKind(record) : undefined) {
    case 'replay':
      return []
    case 'promotion':
      // One of another line decides nothing here.
      return readPromotion(record)?.namespace === namespace ? toAll(record, target) : []
    case 'models':
      return replay.models === null && isBeforeEnd(record, replay) ? toAll(record, target) : []
    case 'live':
      return isBeforeEnd(record, replay) ? toAll(record, target) : []
    case 'tick':
      return isWithin(record, replay) ? toAll(record, target) : []
    default:
      return isWithin(record, replay) ? [copyOf(record, target, partitionFor(record, target))] : []
  }
}

/** Of a signal: where its account belongs. A record without a key is none, and is told so there. */
function partitionFor({ key, partition }: LogRecord, { partitions }: CopyTarget): number {
  return key === null ? partition : partitionOf(key.toString(), partitions)
}

/** What concerns every account of the origin's partition goes to each partition that they are in now. */
function toAll(record: LogRecord, target: CopyTarget): OutgoingRecord[] {
  const copies: OutgoingRecord[] = []
  for (let to = record.partition; to < target.partitions; to += target.replay.origin.partitions)
    copies.push(copyOf(record, target, to))
  return copies
}

function copyOf(record: LogRecord, { topic }: CopyTarget, partition: number): OutgoingRecord {
  const { key, value, headers, timestamp } = record
  return {
    topic,
    partition,
    key,
    value,
    timestamp,
    headers: { ...headers, [ORIGIN_HEADER]: `${record.partition}:${record.offset}` },
  }
}

/**
 * A signal of the wall clock ends the history of its partition, for all accounts in it. Those that the replay has in other partitions learn of it by these records.
 */
export function liveElsewhere(record: LogRecord, target: CopyTarget): OutgoingRecord[] {
  const own = partitionFor(record, target)
  return toAll(record, target)
    .filter(({ partition }) => partition !== own)
    .map(({ headers, partition, timestamp }) => ({
      ...liveRecord(target.topic, partition!),
      timestamp: timestamp!,
      headers: { ...liveRecord(target.topic, partition!).headers, [ORIGIN_HEADER]: headers![ORIGIN_HEADER]! },
    }))
}

/** The offset of what this is a copy of, in the origin. */
export function originOffset({ headers }: LogRecord): number | undefined {
  const text = headers[ORIGIN_HEADER]?.toString()
  return text === undefined ? undefined : Number(text.slice(text.indexOf(':') + 1))
}

function isWithin(record: LogRecord, replay: Replay): boolean {
  return (replay.from === null || record.timestamp >= replay.from) && isBeforeEnd(record, replay)
}

function isBeforeEnd({ timestamp }: LogRecord, { to }: Replay): boolean {
  return to === null || timestamp < to
}
