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

/** So many parts are enough for any topic. If a part is still too large, one account has all of its keys. */
const MOST_PARTS = 65_536

/** The accounts whose hash leaves this rest. */
interface Part {
  readonly rest: number
  readonly of: number
}

/**
 * The checkpoint's accounts and their chunks, each once, as they were at the cut. The topic is read twice; if
 * it has more than `keysAtOnce` keys, part after part, so that no more are held in memory.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export async function* readCheckpoint(
  log: Log,
  checkpoint: Checkpoint,
  keysAtOnce: number,
): AsyncGenerator<CheckpointItem> {
  const left: Part[] = [{ rest: 0, of: 1 }]
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    const { newest, halves } = await newestRecords(log, checkpoint, part, keysAtOnce)
    left.push(...halves)
    yield* readNewest(log, checkpoint, newest)
  }
}

/**
 * Key → the offset of its newest record, for a part or the beginning of it. `halves`: the rest of that part.
 */
async function newestRecords(
  log: Log,
  { topic, partition, headOffset, cut }: Checkpoint,
  part: Part,
  keysAtOnce: number,
): Promise<{ readonly newest: ReadonlyMap<string, number>; readonly halves: readonly Part[] }> {
  const newest = new Map<string, number>()
  const halves: Part[] = []
  let { rest, of } = part
  const isWanted = (accountId: string) => lowBits(hash64(accountId)) % of === rest
  for await (const record of log.read(topic, [{ partition, from: 0, to: headOffset }])) {
    const accountId = accountOf(record)
    if (accountId === undefined || !isWanted(accountId) || isOfLaterCut(record, cut)) continue
    newest.set(String(record.key), record.offset)
    while (newest.size > keysAtOnce && of < MOST_PARTS) {
      halves.push({ rest: rest + of, of: 2 * of })
      of *= 2
      for (const key of newest.keys())
        if (!isWanted(accountOf({ key: Buffer.from(key) })!)) newest.delete(key)
    }
  }
  return { newest, halves }
}

/** An account's chunks are read with it. */
async function* readNewest(
  log: Log,
  { topic, partition, headOffset }: Checkpoint,
  newest: ReadonlyMap<string, number>,
): AsyncGenerator<CheckpointItem> {
  const stretch = { partition, from: 0, to: headOffset }
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
