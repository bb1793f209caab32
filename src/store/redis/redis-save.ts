import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { positionsOf } from '../position.ts'
import type { Listing, PartitionWrite, UserChunkWrite } from '../store.ts'
import type { RedisKeys } from './redis-keys.ts'
import { RequestWriter, sendRequest } from './redis-request.ts'
import { SAVE } from './redis-scripts.ts'

/** Half of what Lua's unpack takes (8,000 values). Even, because ZADD and HINCRBY take pairs. */
const GROUP_ARGUMENTS = 4_000
/** ARGV before the values: token, expected and new position, '1' or '0', the state, how many values. */
const FIXED_ARGUMENTS = 6
/** KEYS before the values: the partition's hash, the set of its books. */
const FIXED_KEYS = 2
/** About the bytes of one account's key, lengths and index changes. */
const ROOM_PER_ACCOUNT_BYTES = 400

const SHA = createHash('sha1').update(SAVE).digest('hex')

/**
 * Runs the SAVE script by its hash. If Redis does not know it (nothing was done then), sends the script's
 * text.
 */
export async function runSave(
  redis: Redis,
  names: RedisKeys,
  partition: number,
  write: PartitionWrite,
): Promise<string[]> {
  try {
    const request = saveRequest(names, partition, write, 'evalsha', SHA)
    return (await sendRequest(redis, 'evalsha', request)) as string[]
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    const request = saveRequest(names, partition, write, 'eval', SAVE)
    return (await sendRequest(redis, 'eval', request)) as string[]
  }
}

/**
 * The call of SAVE in Redis' wire format.
 * @param script the text for `eval`, the SHA-1 for `evalsha`
 */
export function saveRequest(
  names: RedisKeys,
  partition: number,
  write: PartitionWrite,
  command: 'eval' | 'evalsha',
  script: string,
): Buffer {
  const { accounts, state } = write
  const userChunks = write.userChunks.filter(isKept)
  const groups = [
    ...removedChunks(names, partition, write),
    ...sortedSetChanges(names, partition, write),
    ...counterChanges(names, partition, write),
  ]
  const values = accounts.length + userChunks.length
  const keys = FIXED_KEYS + values + groups.length
  let args = FIXED_ARGUMENTS + values
  for (const group of groups) args += 2 + group.args.length
  const out = new RequestWriter(roomFor(write))
  out.begin(3 + keys + args)
  out.text(command)
  out.text(script)
  out.number(keys)

  out.text(names.partition(partition))
  out.text(names.books(partition))
  const accountPrefix = Buffer.from(names.account(partition, ''))
  for (let i = 0; i < accounts.length; i++) out.joined(accountPrefix, accounts[i]!.accountId)
  for (const chunk of userChunks) out.text(names.userChunk(partition, chunk))
  for (const { key } of groups) out.text(key)

  out.text(write.fencingToken)
  const { expected, next } = positionsOf(write)
  out.number(expected)
  out.number(next)
  out.number(state === undefined ? 0 : 1)
  if (state === undefined) out.text('')
  else out.bytes(state)
  out.number(values)
  for (let i = 0; i < accounts.length; i++) out.bytes(accounts[i]!.bytes)
  for (const { bytes } of userChunks) out.bytes(bytes)
  for (const group of groups) writeGroup(out, group)
  return out.finish()
}

function roomFor({ accounts, userChunks, state }: PartitionWrite): number {
  let bytes = accounts.length * ROOM_PER_ACCOUNT_BYTES + (state?.length ?? 0)
  for (let i = 0; i < accounts.length; i++) bytes += accounts[i]!.bytes.length
  for (const chunk of userChunks) bytes += (chunk.bytes?.length ?? 0) + ROOM_PER_ACCOUNT_BYTES
  return bytes
}

/** A group's argument. A listing is written as its member. */
type Argument = string | number | Listing

interface KeyChange {
  readonly command: 'DEL' | 'ZADD' | 'ZREM' | 'HINCRBY'
  readonly key: string
  readonly args: Argument[]
}

function writeGroup(out: RequestWriter, { command, args }: KeyChange): void {
  out.text(command)
  out.number(args.length)
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (typeof argument === 'string') out.text(argument)
    else if (typeof argument === 'number') out.number(argument)
    else out.listingMember(argument.score, argument.accountId)
  }
}

function isKept(chunk: UserChunkWrite): chunk is UserChunkWrite & { readonly bytes: Uint8Array } {
  return chunk.bytes !== undefined
}

function removedChunks(names: RedisKeys, partition: number, { userChunks }: PartitionWrite): KeyChange[] {
  return userChunks.flatMap(chunk =>
    isKept(chunk) ? [] : [{ command: 'DEL', key: names.userChunk(partition, chunk), args: [] }],
  )
}

/** The changes of the due index and the lists, grouped by sorted set. Removals come before additions. */
function sortedSetChanges(names: RedisKeys, partition: number, { accounts }: PartitionWrite): KeyChange[] {
  const removed: KeyChange[] = []
  const added: KeyChange[] = []
  const due = new Groups<number>(added, 'ZADD', bucket => names.due(partition, bucket))
  const listsIn = (groups: KeyChange[], command: KeyChange['command']) =>
    memoize(
      (list: string) => new Groups<string>(groups, command, tier => names.listings(partition, list, tier)),
    )
  const listsLeft = listsIn(removed, 'ZREM')
  const listsEntered = listsIn(added, 'ZADD')
  for (let i = 0; i < accounts.length; i++) {
    const { accountId, bucket, dueAt, listingsAdded, listingsRemoved } = accounts[i]!
    if (dueAt !== undefined) due.argsFor(bucket).push(timeScore(dueAt), accountId)
    for (const listing of listingsRemoved) listsLeft(listing.list).argsFor(listing.tier).push(listing)
    for (const listing of listingsAdded) listsEntered(listing.list).argsFor(listing.tier).push(0, listing)
  }
  return [...removed, ...added]
}

/** The changes of the counters, grouped by book. Each group begins with the book's name. */
function counterChanges(names: RedisKeys, partition: number, { counters }: PartitionWrite): KeyChange[] {
  const groups: KeyChange[] = []
  const books = new Groups<string>(
    groups,
    'HINCRBY',
    book => names.counters(partition, book),
    book => [book],
  )
  for (const { book, field, delta } of counters) books.argsFor(book).push(field, delta)
  return groups
}

/** Collects changes by key. A key has several groups if one would be too long. */
class Groups<Name> {
  readonly #groups: KeyChange[]
  readonly #open = new Map<Name, KeyChange>()
  readonly #command: KeyChange['command']
  readonly #keyOf: (name: Name) => string
  readonly #headOf: (name: Name) => readonly Argument[]

  /**
   * @param groups new groups are appended here
   * @param headOf the arguments that each group begins with
   */
  constructor(
    groups: KeyChange[],
    command: KeyChange['command'],
    keyOf: (name: Name) => string,
    headOf: (name: Name) => readonly Argument[] = () => [],
  ) {
    this.#groups = groups
    this.#command = command
    this.#keyOf = keyOf
    this.#headOf = headOf
  }

  /** The open group's arguments, to push to. */
  argsFor(name: Name): Argument[] {
    let group = this.#open.get(name)
    if (group === undefined || group.args.length >= GROUP_ARGUMENTS) {
      group = { command: this.#command, key: this.#keyOf(name), args: [...this.#headOf(name)] }
      this.#open.set(name, group)
      this.#groups.push(group)
    }
    return group.args
  }
}

/** Calls `make` once for each name. */
function memoize<Made>(make: (name: string) => Made): (name: string) => Made {
  const known = new Map<string, Made>()
  return name => {
    let made = known.get(name)
    if (made === undefined) {
      made = make(name)
      known.set(name, made)
    }
    return made
  }
}

function timeScore(dueAt: number): string | number {
  return dueAt === Number.POSITIVE_INFINITY ? '+inf' : dueAt
}
