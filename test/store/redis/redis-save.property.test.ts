import fc from 'fast-check'
import { Command } from 'ioredis'
import { expect, it } from 'vitest'
import { listingMember, redisKeys } from '../../../src/store/redis/redis-keys.ts'
import { saveRequest } from '../../../src/store/redis/redis-save.ts'
import type { Listing, PartitionWrite } from '../../../src/store/store.ts'

const NAMES = redisKeys('test/replay')
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  // Lengths around the limit up to which a text is written in a loop.
  fc.integer({ min: 120, max: 140 }).map(length => 'x'.repeat(length)),
  fc.integer({ min: 120, max: 140 }).map(length => 'é'.repeat(length)),
)
const bytes = fc.uint8Array({ maxLength: 2000 })
const offset = fc.oneof(fc.nat(2000), fc.maxSafeNat())
const listing: fc.Arbitrary<Listing> = fc.record({
  list: fc.oneof(fc.constantFrom('a', 'b'), text),
  tier: fc.oneof(fc.constantFrom('low', 'high'), text),
  score: fc.double({ noNaN: true }),
  accountId: text,
})
const write: fc.Arbitrary<PartitionWrite> = fc.record({
  fencingToken: text,
  expectedStoredOffset: offset,
  storedOffset: offset,
  state: fc.option(bytes, { nil: undefined }),
  accounts: fc.array(
    fc.record({
      accountId: text,
      bytes,
      bucket: fc.nat(255),
      dueAt: fc.oneof(
        fc.constant(undefined),
        fc.constant(Number.POSITIVE_INFINITY),
        fc.integer({ min: 0, max: Date.UTC(2100, 0) }),
      ),
      listingsRemoved: fc.array(listing, { maxLength: 3 }),
      listingsAdded: fc.array(listing, { maxLength: 3 }),
    }),
    { maxLength: 8 },
  ),
  userChunks: fc.array(
    fc.record({ accountId: text, chunk: text, bytes: fc.option(bytes, { nil: undefined }) }),
    { maxLength: 4 },
  ),
  counters: fc.array(
    fc.record({ book: fc.constantFrom('days', 'é', 'rate:1'), field: text, delta: fc.integer() }),
    { maxLength: 6 },
  ),
})

it('writes the same request as ioredis', () => {
  fc.assert(
    fc.property(write, fc.constantFrom('eval', 'evalsha'), text, (given, command, script) => {
      expect(saveRequest(NAMES, 3, given, command, script).equals(byIoredis(given, command, script))).toBe(
        true,
      )
    }),
    { numRuns: 300 },
  )
})

it('splits groups that are too long for one command', () => {
  const listed = (i: number): Listing => ({ list: 'a', tier: 'low', score: i, accountId: `account-${i}` })
  const accounts = Array.from({ length: 4_500 }, (_, i) => ({
    accountId: `account-${i}`,
    bytes: new Uint8Array(3),
    bucket: 7,
    dueAt: i,
    listingsRemoved: [listed(i)],
    listingsAdded: [listed(i + 1)],
  }))
  const counters = accounts.map(({ accountId: field }) => ({ book: 'days', field, delta: 2 }))
  const given = {
    fencingToken: 'me',
    expectedStoredOffset: 1,
    storedOffset: 2,
    state: undefined,
    userChunks: [],
  }
  const whole = { ...given, accounts, counters }
  expect(saveRequest(NAMES, 3, whole, 'evalsha', 'x').equals(byIoredis(whole, 'evalsha', 'x'))).toBe(true)
})

interface Group {
  readonly command: string
  readonly key: string
  readonly args: (string | number)[]
}

/** The request that ioredis makes, from keys and arguments put together one by one. */
function byIoredis(given: PartitionWrite, command: string, script: string): Buffer {
  const { accounts, userChunks, state, counters } = given
  const values = [
    ...accounts.map(each => ({ key: NAMES.account(3, each.accountId), value: each.bytes })),
    ...userChunks.flatMap(chunk =>
      chunk.bytes === undefined ? [] : [{ key: NAMES.userChunk(3, chunk), value: chunk.bytes }],
    ),
  ]
  const removed: Group[] = []
  const added: Group[] = []
  const counted: Group[] = []
  for (const { accountId, bucket, dueAt, listingsAdded, listingsRemoved } of accounts) {
    if (dueAt !== undefined) {
      const time = dueAt === Number.POSITIVE_INFINITY ? '+inf' : dueAt
      put(added, 'ZADD', NAMES.due(3, bucket), [time, accountId])
    }
    for (const each of listingsRemoved)
      put(removed, 'ZREM', NAMES.listings(3, each.list, each.tier), [listingMember(each)])
    for (const each of listingsAdded)
      put(added, 'ZADD', NAMES.listings(3, each.list, each.tier), [0, listingMember(each)])
  }
  for (const { book, field, delta } of counters)
    put(counted, 'HINCRBY', NAMES.counters(3, book), [field, delta], [book])
  const removedChunks = userChunks.flatMap((chunk): Group[] =>
    chunk.bytes === undefined ? [{ command: 'DEL', key: NAMES.userChunk(3, chunk), args: [] }] : [],
  )
  const groups = [...removedChunks, ...removed, ...added, ...counted]
  const keys = [NAMES.partition(3), NAMES.books(3), ...[...values, ...groups].map(({ key }) => key)]
  const stateArguments = state === undefined ? [0, ''] : [1, Buffer.from(state)]
  const args = [
    ...[given.fencingToken, given.expectedStoredOffset, given.storedOffset, ...stateArguments, values.length],
    ...values.map(({ value }) => Buffer.from(value)),
    ...groups.flatMap(group => [group.command, group.args.length, ...group.args]),
  ]
  return Buffer.from(new Command(command, [script, keys.length, ...keys, ...args]).toWritable({}))
}

function put(
  groups: Group[],
  command: string,
  key: string,
  args: (string | number)[],
  head: string[] = [],
): void {
  const open = groups.findLast(group => group.key === key)
  if (open !== undefined && open.args.length < 4_000) open.args.push(...args)
  else groups.push({ command, key, args: [...head, ...args] })
}
