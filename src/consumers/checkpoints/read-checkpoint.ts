import type { Log, LogRecord } from '../../log/log.ts'
import { UnreadableStateError } from '../../scoring/codec/codec.ts'
import {
  type CheckpointHead,
  type CheckpointItem,
  decodeCounters,
  decodeHead,
  decodeItem,
  isCounters,
  isHead,
  isOfLaterCut,
} from './checkpoint-records.ts'

/** A complete checkpoint of a partition. */
export interface Checkpoint extends CheckpointHead {
  readonly topic: string
  readonly partition: number
  /** Of its head in the topic: the items stand before it. */
  readonly headOffset: number
  /** Nothing stands behind it: no later checkpoint was begun and left undone. */
  readonly isLast: boolean
}

/** How far from the end the head is looked for at first; eight times as far each time after that. */
const FIRST_LOOK = 500
const FURTHER = 8

/**
 * The newest complete checkpoint of a partition; undefined if there is none, or, told to `onUnreadable`, none that this version can read.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function findCheckpoint(
  log: Log,
  topic: string,
  partition: number,
  onUnreadable: (reason: string) => void = () => {},
): Promise<Checkpoint | undefined> {
  const range = (await log.ranges(topic)).get(partition)
  if (range === undefined) return undefined
  for (let records = FIRST_LOOK, to = range.end; to > range.first; records *= FURTHER) {
    const from = Math.max(range.first, range.end - records)
    let head: LogRecord | undefined
    let last: LogRecord | undefined
    // The counters stand before their head, and may reach back into what was looked through before: all is read again to the end.
    const counted = new Map<string, LogRecord>()
    for await (const record of log.read(topic, [{ partition, from, to: range.end }])) {
      const key = String(record.key)
      if (isHead(record)) head = record
      else if (isCounters(record)) counted.set(key, record)
      last = record
    }
    if (head !== undefined) {
      const decoded = readHead(head, onUnreadable)
      if (decoded === undefined) return undefined
      const { pieces, ...rest } = decoded
      const found = [...counted.values()].map(record => decodeCounters(record, rest.cut))
      const counters = found.filter(piece => piece !== undefined)
      if (counters.length === pieces)
        return {
          ...rest,
          counters: counters.flat(),
          topic,
          partition,
          headOffset: head.offset,
          isLast: last === head,
        }
      if (from === range.first) onUnreadable(`it has ${counters.length} of ${pieces} pieces of counters`)
    }
    to = from
  }
  return undefined
}

function readHead(
  record: LogRecord,
  onUnreadable: (reason: string) => void,
): ReturnType<typeof decodeHead> | undefined {
  try {
    return decodeHead(record)
  } catch (error) {
    if (!(error instanceof UnreadableStateError)) throw error
    onUnreadable(error.message)
    return undefined
  }
}

/**
 * What the checkpoint holds of accounts and users: each account and chunk once, as it was at the cut. The topic is read twice, so that nothing but keys is
 * held in memory.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function* readCheckpoint(
  log: Log,
  { topic, partition, headOffset, cut }: Checkpoint,
): AsyncGenerator<CheckpointItem> {
  const stretch = { partition, from: 0, to: headOffset }
  const newest = new Map<string, number>()
  for await (const record of log.read(topic, [stretch]))
    if (!isOfLaterCut(record, cut)) newest.set(String(record.key), record.offset)
  for await (const record of log.read(topic, [stretch])) {
    // An earlier state of something may stand under models that the partition has forgotten.
    if (newest.get(String(record.key)) !== record.offset) continue
    const item = decodeItem(record)
    if (item !== undefined) yield item
  }
}
