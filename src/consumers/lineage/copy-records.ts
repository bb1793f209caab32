import type { LogRecord, OutgoingRecord } from '../../log/log.ts'
import { isOwnRecord, readPromotion, readTick, recordKind } from '../../log/own-records.ts'
import { partitionOf } from '../../log/partition-of.ts'
import { parseSignal } from '../../signals/parse-signal.ts'
import type { Replay } from './replay-record.ts'

/** A header of every copy: `partition:offset` of its original. */
const ORIGIN_HEADER = 'upswell-origin'

export interface CopyTarget {
  readonly replay: Replay
  readonly topic: string
  /**
   * A multiple of the origin's partitions: then each partition copies from one partition of the origin, in
   * its order.
   */
  readonly partitions: number
  /** The replay's namespace. */
  readonly namespace: string
}

/**
 * The copies of a record in the replay's log. They have its time, key, value and headers, so that they score
 * the same.
 */
export function copyRecord(original: LogRecord, target: CopyTarget): OutgoingRecord[] {
  const { replay, namespace } = target
  const record = withinLimit(original, replay)
  if (record === undefined) return []
  // A foreign record with our header is copied like a signal, and scoring rejects it.
  switch (isOwnRecord(record) ? recordKind(record) : undefined) {
    case 'replay':
      return []
    case 'promotion':
      // Promotions of other lineages decide nothing here.
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

/**
 * The record with the time that the replay's limit leaves it. Undefined: a tick that only says that a later
 * time has come.
 */
function withinLimit(record: LogRecord, { latest }: Replay): LogRecord | undefined {
  if (latest === undefined || latest === null) return record
  const { time, ends } = latest
  if (record.timestamp <= time || record.offset >= (ends[record.partition] ?? 0)) return record
  if (isOwnRecord(record)) return isDueTick(record) ? undefined : withTime(record, time)
  return withTime(record, Math.max(time, occurredAtOf(record)))
}

/** Names the fields: some logs have records whose fields are getters, which a spread would leave out. */
function withTime(record: LogRecord, timestamp: number): LogRecord {
  const { topic, partition, offset, key, value, headers, headerList } = record
  return { topic, partition, offset, timestamp, key, value, headers, headerList }
}

/** Other ticks bring all accounts past a models record or a promotion, and are needed. */
function isDueTick(record: LogRecord): boolean {
  return recordKind(record) === 'tick' && readTick(record)?.scope === 'due'
}

/** ms; −Infinity: it is no signal, and scoring rejects it. */
function occurredAtOf(record: LogRecord): number {
  const parsed = parseSignal(record.value, {
    observedAt: record.timestamp,
    defaultKind: undefined,
    place: 'log',
  })
  return 'signal' in parsed ? parsed.signal.occurredAt : Number.NEGATIVE_INFINITY
}

/**
 * The partition of the signal's account. Scoring rejects a record without a key, or in a wrong partition of
 * the origin. Its copy keeps the partition's number, which is wrong in the replay too.
 */
function partitionFor({ key, partition }: LogRecord, { partitions, replay }: CopyTarget): number {
  if (key === null) return partition
  const to = partitionOf(key.toString(), partitions)
  return to % replay.origin.partitions === partition ? to : partition
}

/** Copies to each partition that holds accounts of the origin's partition. */
function toAll(record: LogRecord, target: CopyTarget): OutgoingRecord[] {
  const copies: OutgoingRecord[] = []
  for (let to = record.partition; to < target.partitions; to += target.replay.origin.partitions)
    copies.push(copyOf(record, target, to))
  return copies
}

function copyOf(record: LogRecord, { topic }: CopyTarget, partition: number): OutgoingRecord {
  const { key, value, headerList, timestamp } = record
  return {
    topic,
    partition,
    key,
    value,
    timestamp,
    // A copy of a copy has one origin: the record that it copies.
    carriedHeaders: headerList.filter(([name]) => name.toString() !== ORIGIN_HEADER),
    headers: { [ORIGIN_HEADER]: `${record.partition}:${record.offset}` },
  }
}

/** The offset of the original in the origin's log; undefined: the record is no copy. */
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
