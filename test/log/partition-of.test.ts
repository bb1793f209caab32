import fc from 'fast-check'
import { Partitioners, type PartitionMetadata } from 'kafkajs'
import { expect, it } from 'vitest'
import { partitionOf } from '../../src/log/partition-of.ts'

const defaultPartitioner = Partitioners.DefaultPartitioner()

function kafkajsPartitionOf(key: string | Buffer, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 1,
  })) as PartitionMetadata[]
  return defaultPartitioner({ topic: 'signals', partitionMetadata, message: { key, value: null } })
}

it('chooses the same partition as the default partitioner of kafkajs, which follows the Java client', () => {
  const anyKey = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(anyKey, fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
      expect(partitionOf(key, partitions)).toBe(kafkajsPartitionOf(key, partitions))
    }),
    { numRuns: 300 },
  )
})

it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %j as Kafka itself does (its UtilsTest)', (key, hash) => {
  for (const partitions of [1, 2, 7, 1_000, 2 ** 31 - 1])
    expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions)
})
