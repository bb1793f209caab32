import { isHead } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import {
  type Checkpoint,
  findCheckpoint,
  readCheckpoint,
} from '../../../src/consumers/checkpoints/read-checkpoint.ts'
import { clipStretches } from '../../../src/log/clip-stretches.ts'
import type { Log, OffsetRange } from '../../../src/log/log.ts'
import { CHECKPOINTS } from '../../../src/log/topic-names.ts'
import { encodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { dueBucketOf } from '../../../src/scoring/due-slices.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { isKpiBook } from '../../../src/scoring/population/kpi-counts.ts'
import type { Broker } from './broker.ts'
import { foldPlainly } from './plain-fold.ts'
import { TOPICS } from './topics.ts'
import type { World } from './world.ts'

const TOPIC = TOPICS[CHECKPOINTS]

/**
 * The newest complete checkpoint of each partition must hold the plain fold's state at its cut, no more and
 * no less.
 */
export async function compareCheckpoints(
  world: World,
): Promise<{ readonly problems: readonly string[]; readonly checkpoints: number }> {
  const { broker, plan } = world
  const log = settledLog(broker)
  const problems: string[] = []
  let checkpoints = 0
  for (let partition = 0; partition < plan.partitions; partition++) {
    const found = await findCheckpoint(log, TOPIC, partition)
    if (found === undefined) {
      if (broker.committedRecords(TOPIC, partition).some(({ record }) => isHead(record)))
        problems.push(`${TOPIC}/${partition} has a head, but no checkpoint is found`)
      continue
    }
    checkpoints += 1
    // Compaction after the checkpoint may have removed accounts from it that have newer records.
    const isWhole = broker.compactedTo(TOPIC, partition) <= found.headOffset + 1
    const [is, must] = [await contentsOf(log, found), expectedAt(world, found)]
    for (const key of new Set([...is.keys(), ...must.keys()])) {
      if (is.get(key) === must.get(key)) continue
      if (!isWhole && !is.has(key) && !is.has(`account ${accountOf(key)}`)) continue
      problems.push(
        `the checkpoint of partition ${partition} at offset ${found.cut}: ${key} is ${is.get(key)}, expected ${must.get(key)}`,
      )
    }
  }
  return { problems, checkpoints }
}

/** The account of `users ID CHUNK`. Ids contain no spaces here. */
function accountOf(key: string): string | undefined {
  return key.split(' ')[1]
}

async function contentsOf(log: Log, checkpoint: Checkpoint): Promise<Map<string, string>> {
  const contents = new Map<string, string>()
  for await (const item of readCheckpoint(log, checkpoint, 1_000)) {
    const hex = item.bytes.toString('hex')
    if (item.type === 'account') {
      contents.set(`account ${item.accountId}`, `${dueBucketOf(item.accountId)} ${hex}`)
    } else contents.set(`users ${item.accountId} ${item.chunk}`, hex)
  }
  contents.set('state', checkpoint.state)
  contents.set('accounts', String(checkpoint.accounts))
  for (const { book, field, delta } of checkpoint.counters)
    contents.set(`counter ${book} ${field}`, String(delta))
  return contents
}

function expectedAt({ broker, library, plan }: World, { partition, cut }: Checkpoint): Map<string, string> {
  const records = broker.committedRecords(TOPICS.signals, partition).map(({ record }) => record)
  const { accounts, contents } = foldPlainly(
    records.filter(({ offset }) => offset < cut),
    library,
    plan.partitions,
  )
  const expected = new Map(
    [...contents].filter(([key]) => {
      const [type, name] = key.split(' ')
      return type === 'account' || type === 'users' || (type === 'counter' && isKpiBook(name!))
    }),
  )
  const nothing = Buffer.from(encodePartitionMemory(createPartitionMemory(), library)).toString()
  expected.set('state', contents.get('state') ?? nothing)
  expected.set('accounts', String(accounts.size))
  return expected
}

/** The log as a reader sees it, with answers at once. */
function settledLog(broker: Broker): Log {
  const ranges = (topic: string): ReadonlyMap<number, OffsetRange> =>
    new Map(
      Array.from({ length: broker.partitions(topic) }, (_, partition) => [
        partition,
        { first: broker.firstOffset(topic, partition), end: broker.endOffset(topic, partition) },
      ]),
    )
  const log: Pick<Log, 'ranges' | 'read'> = {
    ranges: async topic => ranges(topic),
    async *read(topic, stretches) {
      for (const { partition, from, to } of clipStretches(topic, stretches, ranges(topic)))
        yield* broker
          .read(topic, partition, from, Number.POSITIVE_INFINITY)
          .records.filter(({ offset }) => offset < to)
    },
  }
  return log as Log
}
