import { expect, test } from 'vitest'
import { copyRecord } from '../../../src/consumers/lineage/copy-records.ts'
import type { Header } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { logRecord } from '../../support/log-record.ts'
import { TOPICS } from './installation.ts'

const ORIGIN_PARTITIONS = 3
const origin = { topic: TOPICS.signals, partitions: ORIGIN_PARTITIONS, namespace: 'default' }
const replay = { name: 'v2', origin, from: null, to: null, models: null }
const target = { replay, topic: 'v2.signals', partitions: 12, namespace: 'default/v2' }

test('a signal is copied to the partition of its account, and one in a wrong partition to a wrong one', () => {
  for (let i = 0; i < 40; i++) {
    const key = `acct-${i}`
    const right = partitionOf(key, target.partitions)
    for (let partition = 0; partition < ORIGIN_PARTITIONS; partition++) {
      const record = logRecord(partition, 7, { topic: TOPICS.signals, key, value: '{}' })
      const [copy] = copyRecord(record, target)
      if (partition === partitionOf(key, ORIGIN_PARTITIONS)) expect(copy!.partition).toBe(right)
      else expect(copy!.partition).not.toBe(right)
      // One process copies all that is in a partition, so its order is the origin's.
      expect(copy!.partition! % ORIGIN_PARTITIONS).toBe(partition)
    }
  }
})

test('a copy has the headers of its record as they are, and says which record that is', () => {
  const theirs: Header[] = [
    [Buffer.from('twice'), Buffer.from('1')],
    [Buffer.from('twice'), null],
  ]
  const carriedHeaders: Header[] = [[Buffer.from('upswell-origin'), Buffer.from('0:3')], ...theirs]
  const record = logRecord(1, 7, { topic: TOPICS.signals, key: null, value: '{}', carriedHeaders })
  expect(copyRecord(record, target)).toMatchObject([
    { carriedHeaders: theirs, headers: { 'upswell-origin': '1:7' } },
  ])
})
