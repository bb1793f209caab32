import { listingMember, type RedisKeys } from './redis-keys.ts'
import type { PartitionWrite } from './store.ts'

/** What the SAVE script is called with. */
export interface SaveCall {
  readonly keys: string[]
  readonly args: (string | Buffer | number)[]
}

/** Lua's unpack takes 8,000 values; an even number, since ZADD and HINCRBY are given pairs. */
const GROUP_ARGUMENTS = 4_000

export function saveCall(names: RedisKeys, partition: number, write: PartitionWrite): SaveCall {
  const { accounts, userChunks, state } = write
  const values = [
    ...accounts.map(({ accountId, bytes }) => ({ key: names.account(partition, accountId), bytes })),
    ...userChunks.map(chunk => ({ key: names.userChunk(partition, chunk), bytes: chunk.bytes })),
  ]
  const groups = [...sortedSetChanges(names, partition, write), ...counterChanges(names, partition, write)]
  const keys = [names.partition(partition), names.books(partition)]
  const args: (string | Buffer | number)[] = [
    write.owner,
    write.expectedWatermark,
    write.watermark,
    state === undefined ? 0 : 1,
    state === undefined ? '' : asBuffer(state),
    values.length,
  ]
  for (const { key, bytes } of values) {
    keys.push(key)
    args.push(asBuffer(bytes))
  }
  for (const { command, key, args: groupArgs } of groups) {
    keys.push(key)
    args.push(command, groupArgs.length)
    for (const arg of groupArgs) args.push(arg)
  }
  return { keys, args }
}

interface KeyChange {
  readonly command: 'ZADD' | 'ZREM' | 'HINCRBY'
  readonly key: string
  readonly args: (string | number)[]
}

/** The changes of the due index and of the lists, those of one sorted set together. What leaves a list goes before what enters. */
function sortedSetChanges(names: RedisKeys, partition: number, { accounts }: PartitionWrite): KeyChange[] {
  const removed = new Changes('ZREM')
  const added = new Changes('ZADD')
  for (const { accountId, bucket, dueAt, listingsAdded, listingsRemoved } of accounts) {
    if (dueAt !== undefined) added.add(names.due(partition, bucket), timeScore(dueAt), accountId)
    for (const listing of listingsRemoved)
      removed.add(names.listings(partition, listing.list, listing.tier), listingMember(listing))
    for (const listing of listingsAdded)
      added.add(names.listings(partition, listing.list, listing.tier), 0, listingMember(listing))
  }
  return [...removed.all, ...added.all]
}

/** What is added to the counters, that of one book together, behind the book's name. */
function counterChanges(names: RedisKeys, partition: number, { counters }: PartitionWrite): KeyChange[] {
  const changes = new Changes('HINCRBY')
  for (const { book, field, delta } of counters)
    changes.addBehind(book, names.counters(partition, book), field, delta)
  return changes.all
}

class Changes {
  readonly all: KeyChange[] = []
  readonly #open = new Map<string, KeyChange>()
  readonly #command: KeyChange['command']

  constructor(command: KeyChange['command']) {
    this.#command = command
  }

  add(key: string, ...args: (string | number)[]): void {
    this.#group(key, []).push(...args)
  }

  /** As `add`; a group begins with `head`. */
  addBehind(head: string, key: string, ...args: (string | number)[]): void {
    this.#group(key, [head]).push(...args)
  }

  #group(key: string, head: readonly string[]): (string | number)[] {
    let group = this.#open.get(key)
    if (group === undefined || group.args.length >= GROUP_ARGUMENTS) {
      group = { command: this.#command, key, args: [...head] }
      this.#open.set(key, group)
      this.all.push(group)
    }
    return group.args
  }
}

function timeScore(dueAt: number): string | number {
  return dueAt === Number.POSITIVE_INFINITY ? '+inf' : dueAt
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
