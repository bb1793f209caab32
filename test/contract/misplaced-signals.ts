import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { expect } from 'vitest'
import type { Backend } from '../../src/consumers/backend.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import type { LogRecord } from '../../src/log/log.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import type { TopicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { untilStored } from '../support/run-pipeline.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const ACCOUNTS = Array.from({ length: 40 }, (_, i) => `acct-${i}`)

function signalOf(accountId: string): Signal {
  return {
    id: 'e-1',
    kind: 'usage',
    name: 'report.exported',
    accountId,
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW,
  }
}

/**
 * Scores signals of a producer with librdkafka's default partitioner (CRC32 of the key), then of one with the
 * right partitioner. Expects that the first ones are dead letters, and that each account has one state.
 */
export async function expectMisplacedRejected(backend: Backend, topics: TopicNames): Promise<void> {
  const { log, store } = backend
  const partitions = await log.partitions(topics.signals)
  const byCrc32 = (accountId: string): number => crc32(accountId) % partitions
  const misplaced = ACCOUNTS.filter(id => byCrc32(id) !== partitionOf(id, partitions))
  expect(misplaced.length).toBeGreaterThan(20)
  let rejected = 0
  const scoring = await startScoring({
    backend,
    publication: alwaysServing(topics),
    library: new ModelLibrary(),
    logger: { info: () => {}, warn: console.warn, error: console.error },
    shares: unlimitedShares(),
    onScored: report => {
      rejected += report.rejected
    },
    source: { topic: topics.signals, group: 'score', batchSize: 100 },
    ticks: { models: [], now: Date.now, intervalMs: 60_000 },
  })
  const send = async (partitionFor: ((accountId: string) => number) | undefined): Promise<void> => {
    const records = ACCOUNTS.map(id => ({
      ...signalRecord(topics.signals, signalOf(id), NOW),
      ...(partitionFor === undefined ? {} : { partition: partitionFor(id) }),
    }))
    const ends = new Map<number, number>()
    for (const { partition, offset } of await log.append(records)) ends.set(partition, offset)
    await untilStored(backend, ends)
  }
  const holders = async (): Promise<Map<string, number[]>> => {
    const found = new Map<string, number[]>()
    for (let partition = 0; partition < partitions; partition++)
      for (const [i, bytes] of (await store.load(partition, ACCOUNTS)).entries())
        if (bytes !== undefined) found.set(ACCOUNTS[i]!, [...(found.get(ACCOUNTS[i]!) ?? []), partition])
    return found
  }
  try {
    await send(byCrc32)
    expect([...(await holders()).keys()].sort()).toEqual(
      ACCOUNTS.filter(id => !misplaced.includes(id)).sort(),
    )
    while (rejected < misplaced.length) await sleep(10)
    const letters: LogRecord[] = []
    for await (const letter of log.readAll(topics['dead-letter'])) letters.push(letter)
    expect(letters.map(({ key }) => String(key)).sort()).toEqual([...misplaced].sort())
    for (const { key, headers } of letters) {
      expect(String(headers['upswell-reason'])).toBe('wrong-partition')
      expect(String(headers['upswell-partition'])).toBe(String(byCrc32(String(key))))
      expect(String(headers['upswell-detail'])).toContain(
        `belong into partition ${partitionOf(String(key), partitions)} of ${partitions}`,
      )
    }
    await send(undefined)
    expect(await holders()).toEqual(new Map(ACCOUNTS.map(id => [id, [partitionOf(id, partitions)]])))
    expect(rejected).toBe(misplaced.length)
  } finally {
    await scoring.stop()
  }
}
