import { expect, test } from 'vitest'
import { headRecords, itemRecord } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import {
  type Checkpoint,
  findCheckpoint,
  readCheckpoint,
} from '../../../src/consumers/checkpoints/read-checkpoint.ts'
import type { Log, OutgoingRecord } from '../../../src/log/log.ts'
import { MemoryLog } from './memory-log.ts'

const TOPIC = 'activity-checkpoints'

/** Counters of about 700 kB: three records. */
const COUNTERS = Array.from({ length: 700 }, (_, i) => ({
  book: 'kpi:model:measure',
  field: `${'x'.repeat(1_000)}${i}`,
  delta: i + 1,
}))

function items(count: number, cut: number): OutgoingRecord[] {
  return Array.from({ length: count }, (_, i) =>
    itemRecord(TOPIC, 0, cut, { accountId: `a${i}`, bytes: Buffer.from('x') }),
  )
}

async function find(...records: OutgoingRecord[]) {
  const log = new MemoryLog([TOPIC])
  await log.append(records)
  const reasons: string[] = []
  const found = await findCheckpoint(log as unknown as Log, TOPIC, 0, reason => reasons.push(reason))
  return { found, reasons }
}

// The search looks at the last 500 records first. Both the head and its counters may be before them, or the
// head may be among them and some counters before.
test.each([0, 1, 400, 496, 497, 498, 499, 500, 501, 3_995, 3_996, 3_997, 3_998, 4_100])(
  'finds the checkpoint and all its counters if %i records of an unfinished one follow',
  async unfinished => {
    const head = headRecords(TOPIC, 0, { cut: 7, accounts: 600, state: '{}', counters: COUNTERS })
    expect(head).toHaveLength(4)
    const { found, reasons } = await find(...items(600, 7), ...head, ...items(unfinished, 9))
    expect(found).toMatchObject({ cut: 7, accounts: 600, headOffset: 603, isLast: unfinished === 0 })
    expect(found?.counters).toEqual(COUNTERS)
    expect(reasons).toEqual([])
  },
)

test('finds nothing where a piece of the counters is missing, and says so', async () => {
  const [, ...rest] = headRecords(TOPIC, 0, { cut: 7, accounts: 1, state: '{}', counters: COUNTERS })
  const { found, reasons } = await find(...items(600, 7), ...rest, ...items(498, 9))
  expect(found).toBeUndefined()
  expect(reasons).toEqual(['it has 2 of 3 pieces of counters'])
})

test('leaves out what an unfinished checkpoint of a later cut left before it, but not what is older', async () => {
  const left = (accountId: string, cut: number, text: string) =>
    itemRecord(TOPIC, 0, cut, { accountId, bytes: Buffer.from(text) })
  const log = new MemoryLog([TOPIC])
  await log.append([
    left('kept', 3, 'of cut 3'),
    left('changed', 3, 'of cut 3'),
    // The group was moved back after these.
    left('later', 9, 'of cut 9'),
    left('changed', 9, 'of cut 9'),
    left('changed', 7, 'of cut 7'),
    ...headRecords(TOPIC, 0, { cut: 7, accounts: 2, state: '{}', counters: [] }),
  ])
  const found = await findCheckpoint(log as unknown as Log, TOPIC, 0)
  const read: string[] = []
  for await (const { accountId, bytes } of readCheckpoint(log as unknown as Log, found!, 3))
    read.push(`${accountId} ${bytes}`)
  expect(read.sort()).toEqual(['changed of cut 7', 'kept of cut 3'])
})

test.each([1, 7, 1_000])('reads each account once, with %d keys in memory at a time', async keysAtOnce => {
  const log = new MemoryLog([TOPIC])
  const ids = Array.from({ length: 50 }, (_, i) => `account-${i}`)
  const item = (accountId: string, text: string, chunk?: string) =>
    itemRecord(TOPIC, 0, 5, {
      accountId,
      bytes: Buffer.from(text),
      ...(chunk === undefined ? {} : { chunk }),
    })
  await log.append([
    ...ids.flatMap(id => [item(id, 'old'), item(id, 'old users', '0')]),
    ...ids.flatMap(id => [item(id, 'new'), item(id, 'new users', '0')]),
    ...headRecords(TOPIC, 0, { cut: 5, accounts: ids.length, state: '{}', counters: [] }),
  ])
  const found = await findCheckpoint(log as unknown as Log, TOPIC, 0)
  const read: string[] = []
  for await (const { accountId, bytes } of readCheckpoint(log as unknown as Log, found!, keysAtOnce))
    read.push(`${accountId} ${bytes}`)
  expect(read.sort()).toEqual(ids.flatMap(id => [`${id} new`, `${id} new users`]).sort())
})

test('a topic with few keys and a high offset, as compaction leaves it, is read twice', async () => {
  const records = Array.from({ length: 10 }, (_, i) => ({
    ...itemRecord(TOPIC, 0, 5, { accountId: `account-${i}`, bytes: Buffer.from('x') }),
    offset: 36_499_000 + i,
  }))
  let reads = 0
  const log = {
    async *read() {
      reads++
      yield* records
    },
  } as unknown as Log
  const head = { topic: TOPIC, partition: 0, headOffset: 36_500_000, cut: 5 } as Checkpoint
  const read: string[] = []
  for await (const { accountId } of readCheckpoint(log, head, 1_000)) read.push(accountId)
  expect([read.length, reads]).toEqual([10, 2])
})
