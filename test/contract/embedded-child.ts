/**
 * The other process in the tests of the embedded pair: `embedded-child.mjs COMMAND DIRECTORY`. It prints one
 * JSON value a line. It runs until it is killed; with the command to append it ends by itself, and a
 * bystander ends on SIGTERM.
 */
import { setTimeout } from 'node:timers/promises'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { PartitionSession, RecordList } from '../../src/log/log.ts'

const BATCH_SIZE = 25

const [command, directory] = process.argv.slice(2)
const backend = await openEmbeddedBackend({ directory: directory!, partitions: 1 })

switch (command) {
  case 'commit':
    await consume(commitRecords)
    break
  case 'hold':
    await consume(async () => {})
    say('consuming')
    break
  case 'append':
    for (let i = 0; i < 50; i++) {
      await backend.log.append(
        Array.from({ length: 20 }, (_, j) => ({ topic: 'in', key: 'k', value: `child-${i * 20 + j}` })),
      )
    }
    await backend.close()
    break
  case 'bystand':
    await bystand()
    await backend.close()
    break
  default:
    throw new Error(`What is ${command}?`)
}

async function bystand(): Promise<void> {
  let isTold = false
  process.once('SIGTERM', () => {
    isTold = true
  })
  while (!isTold) {
    await backend.log.append([{ topic: 'other', key: 'k', value: 'x'.repeat(500) }])
    await setTimeout(1)
  }
}

async function consume(
  process: (session: PartitionSession, records: RecordList) => Promise<void>,
): Promise<void> {
  await backend.log.consume({
    group: 'scorer',
    topics: ['in'],
    batchSize: BATCH_SIZE,
    handler: {
      assigned: async session => {
        const { storedOffset } = await backend.store.fence(0, ownerOf(session))
        say({ assigned: { storedOffset, committedOffset: session.committedOffset } })
        return session.committedOffset
      },
      process,
      released: () => {},
    },
  })
}

async function commitRecords(session: PartitionSession, records: RecordList): Promise<void> {
  const nextOffset = records.at(-1)!.offset + 1
  await backend.commitFlush(session, {
    outputs: Array.from(records, ({ key, value }) => ({ topic: 'out', key, value })),
    nextOffset,
    write: {
      fencingToken: ownerOf(session),
      expectedStoredOffset: records.at(0)!.offset,
      storedOffset: nextOffset,
      state: Buffer.from(String(nextOffset)),
      accounts: [
        {
          accountId: 'counter',
          bytes: Buffer.from(String(nextOffset)),
          bucket: 0,
          dueAt: nextOffset,
          listingsRemoved: [],
          listingsAdded: [],
        },
      ],
      userChunks: [],
      counters: [],
    },
  })
  say({ durable: nextOffset })
}

function ownerOf(session: PartitionSession): string {
  return `${process.pid}@${session.committedOffset}`
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
