import type { LogRecord, OutgoingRecord } from '../../log/log.ts'
import { UnreadableStateError } from '../../scoring/codec/codec.ts'
import type { CounterChange } from '../../scoring/population/counters.ts'

/**
 * Records of the compacted topic `activity-checkpoints`. Partition p shows the store's partition p at one
 * offset, the cut: a record for each account and then for each of its chunks (of users, of ids), then the
 * counters, and last the head, which says that the checkpoint is complete.
 */
const CUT_HEADER = 'upswell-cut'
const HEAD_KEY = 'partition'
const FORMAT = 1
/** Less than the 1 MiB that a broker accepts in one record by default. */
const COUNTERS_TEXT = 250_000

/** A value as the store holds it. */
export type CheckpointItem =
  | { readonly type: 'account'; readonly accountId: string; readonly bytes: Buffer }
  | { readonly type: 'users'; readonly accountId: string; readonly chunk: string; readonly bytes: Buffer }

/** What a checkpoint says about its partition as a whole. */
export interface CheckpointHead {
  /** The offset of the first record of `signals` that it does not include. */
  readonly cut: number
  readonly accounts: number
  /** The partition's memory at the cut, as `models/partition-memory-codec.ts` encodes it. */
  readonly state: string
  /** Only the counters that cannot be computed from the accounts. */
  readonly counters: readonly CounterChange[]
}

export function itemRecord(
  topic: string,
  partition: number,
  cut: number,
  item: { readonly accountId: string; readonly chunk?: string; readonly bytes: Uint8Array },
): OutgoingRecord {
  const { accountId, chunk, bytes } = item
  return {
    topic,
    partition,
    key: chunk === undefined ? accountKey(accountId) : `users:${chunk}:${accountId}`,
    value: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    headers: { [CUT_HEADER]: String(cut) },
  }
}

/** The key of an account's record; its chunks have other keys. */
export function accountKey(accountId: string): string {
  return `account:${accountId}`
}

/** The end of a checkpoint: its counters, in pieces that a broker accepts, and its head. */
export function headRecords(topic: string, partition: number, head: CheckpointHead): OutgoingRecord[] {
  const { cut, accounts, state, counters } = head
  const pieces = cutIntoPieces(counters.map(({ book, field, delta }) => [book, field, delta]))
  const headers = { [CUT_HEADER]: String(cut) }
  const value = JSON.stringify({ format: FORMAT, cut, accounts, state, pieces: pieces.length })
  return [
    ...pieces.map((piece, i) => ({ topic, partition, key: `counters:${i}`, value: piece, headers })),
    { topic, partition, key: HEAD_KEY, value, headers },
  ]
}

function cutIntoPieces(rows: readonly unknown[]): string[] {
  const pieces: string[] = []
  let open: string[] = []
  let length = 0
  const close = () => {
    if (open.length > 0) pieces.push(`[${open.join(',')}]`)
    open = []
    length = 0
  }
  for (const row of rows) {
    const text = JSON.stringify(row)
    if (length + text.length > COUNTERS_TEXT) close()
    open.push(text)
    length += text.length
  }
  close()
  return pieces
}

export function isHead(record: LogRecord): boolean {
  return record.key?.toString() === HEAD_KEY
}

export function isCounters(record: LogRecord): boolean {
  return record.key?.toString().startsWith('counters:') === true
}

/** @throws UnreadableStateError if the head has another format or is damaged */
export function decodeHead(
  record: LogRecord,
): Omit<CheckpointHead, 'counters'> & { readonly pieces: number } {
  const head = parseHead(String(record.value))
  if (head.format !== FORMAT)
    throw new UnreadableStateError(`its head is of format ${head.format}, where ${FORMAT} can be read`)
  return head
}

function parseHead(
  text: string,
): Omit<CheckpointHead, 'counters'> & { readonly format: number; readonly pieces: number } {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UnreadableStateError(`its head cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * The counters of a piece that `isCounters`. Undefined: the piece is left over from a checkpoint of another
 * cut.
 */
export function decodeCounters(record: LogRecord, cut: number): CounterChange[] | undefined {
  if (cutOf(record) !== cut) return undefined
  const rows = JSON.parse(String(record.value)) as [book: string, field: string, delta: number][]
  return rows.map(([book, field, delta]) => ({ book, field, delta }))
}

/**
 * Whether a record is left over from a checkpoint of a later cut. The group was moved back since then, so its
 * account may not have existed at this cut.
 */
export function isOfLaterCut(record: LogRecord, cut: number): boolean {
  return cutOf(record) > cut
}

/** Undefined: the record is no item. */
export function decodeItem({ key, value }: LogRecord): CheckpointItem | undefined {
  const found = value === null ? undefined : readKey(key)
  if (found === undefined) return undefined
  const { accountId, chunk } = found
  return chunk === undefined
    ? { type: 'account', accountId, bytes: value! }
    : { type: 'users', accountId, chunk, bytes: value! }
}

/** The account that a record is about, also one without a value; undefined: it is about none. */
export function accountOf({ key }: Pick<LogRecord, 'key'>): string | undefined {
  return readKey(key)?.accountId
}

/** `chunk` undefined: the record is the account's own. */
function readKey(key: LogRecord['key']): { accountId: string; chunk: string | undefined } | undefined {
  const text = key?.toString() ?? ''
  if (text.startsWith('account:')) return { accountId: text.slice(8), chunk: undefined }
  const users = /^users:([^:]*):/.exec(text)
  return users === null ? undefined : { accountId: text.slice(users[0].length), chunk: users[1]! }
}

function cutOf({ headers }: LogRecord): number {
  return Number(headers[CUT_HEADER]?.toString())
}
