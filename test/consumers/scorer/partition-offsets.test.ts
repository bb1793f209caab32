import { expect, test } from 'vitest'
import { PartitionOffsets } from '../../../src/consumers/scorer/partition-offsets.ts'
import { logRecord } from '../../support/log-record.ts'

const FOUND = { stored: 2, scoresPublished: 4, committed: 6, uncertainBefore: 0 }

test('each record is treated by how far its partition is', () => {
  const records = Array.from({ length: 9 }, (_, offset) =>
    logRecord(0, offset, { topic: 'signals', key: 'a', value: '{}' }),
  )
  const steps = new PartitionOffsets(FOUND).split(records)
  expect(steps.map(({ treatment, from, to, nextOffset }) => [treatment, from, to, nextOffset])).toEqual([
    ['stored', 0, 2, 2],
    ['refoldSilently', 2, 4, 4],
    ['refold', 4, 6, 6],
    ['live', 6, 9, 9],
  ])
})

test.each([
  // uncertain before, last offset of the account in the store, is its published score uncertain?
  [0, 3, false],
  [4, 3, false],
  [5, 3, true],
  [5, 4, false],
])(
  'with scores uncertain before %i, those of an account at %i are: %s',
  (uncertainBefore, lastOffset, is) => {
    const offsets = new PartitionOffsets({ ...FOUND, uncertainBefore })
    expect(offsets.isUncertain(lastOffset)).toBe(is)
    expect(offsets.metadata()).toBe(
      uncertainBefore > 4 ? `scores=4 uncertain=${uncertainBefore}` : 'scores=4',
    )
  },
)
