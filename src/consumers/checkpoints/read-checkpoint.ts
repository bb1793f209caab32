import { hash64, lowBits } from '../../lib/hash.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import { UnreadableStateError } from '../../scoring/codec/codec.ts'
import {
  accountKey,
  accountOf,
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
  /** The head's offset in the topic of checkpoints; its items precede it. */
  readonly headOffset: number
  /** When its head was written, ms. */
  readonly completeAt: number
  /** Nothing follows it: no later checkpoint was started and left incomplete. */
  readonly isLast: boolean
}

/** How far from the end the search for the head starts; each further search goes eight times as far. */
const FIRST_LOOK = 500
const FURTHER = 8

/**
 * The newest complete checkpoint of a partition. Undefined: there is none, or none that this version can
 * read, which `onUnreadable` reports.
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
    // The counters precede their head, and may begin before the part searched so far: everything is read
    // again to the end.
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
          completeAt: head.timestamp,
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
 * The checkpoint's accounts and their chunks, each once, as they were at the cut. The topic is read twice for
 * each `keysAtOnce` records of it, so that only so many keys are held in memory.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function* readCheckpoint(
  log: Log,
  checkpoint: Checkpoint,
  keysAtOnce: number,
): AsyncGenerator<CheckpointItem> {
  const first = (await log.ranges(checkpoint.topic)).get(checkpoint.partition)?.first ?? 0
  const rounds = Math.max(1, Math.ceil((checkpoint.headOffset - first) / keysAtOnce))
  for (let round = 0; round < rounds; round++)
    yield* readSome(log, checkpoint, accountId => lowBits(hash64(accountId)) % rounds === round)
}

/** An account's chunks are read with it. */
async function* readSome(
  log: Log,
  { topic, partition, headOffset, cut }: Checkpoint,
  isWanted: (accountId: string) => boolean,
): AsyncGenerator<CheckpointItem> {
  const stretch = { partition, from: 0, to: headOffset }
  const newest = new Map<string, number>()
  for await (const record of log.read(topic, [stretch])) {
    const accountId = accountOf(record)
    if (accountId !== undefined && isWanted(accountId) && !isOfLaterCut(record, cut))
      newest.set(String(record.key), record.offset)
  }
  for await (const record of log.read(topic, [stretch])) {
    // An older state of the same key may need models that the partition has forgotten.
    if (newest.get(String(record.key)) !== record.offset) continue
    const item = decodeItem(record)
    if (item === undefined) continue
    // The chunk is left over from an earlier checkpoint: the account has lost it since.
    if (item.type === 'users' && record.offset < (newest.get(accountKey(item.accountId)) ?? 0)) continue
    yield item
  }
}
