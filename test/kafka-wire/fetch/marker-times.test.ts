import { expect, test } from 'vitest'
import { markerTimes } from '../../../src/kafka-wire/fetch/marker-times.ts'
import { encodeBatch } from './record-batches.ts'

const record = { offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers: [] }
const data = (baseOffset: number, producerId: number, isTransactional = true) =>
  encodeBatch({ baseOffset, producerId, isTransactional, records: [record, { ...record, offsetDelta: 1 }] })
const marker = (baseOffset: number, producerId: number, time: number) =>
  encodeBatch({
    baseOffset,
    producerId,
    isTransactional: true,
    isControl: true,
    baseTimestamp: time,
    records: [record],
  })

test('each marker is paired with the last record of its producer', () => {
  const bytes = Buffer.concat([
    marker(0, 9, 5),
    data(1, 7),
    data(3, 8),
    data(5, 7),
    marker(7, 7, 100),
    marker(8, 8, 200),
    data(9, -1, false),
    marker(11, 7, 300),
  ])
  expect(markerTimes(bytes)).toEqual([
    { time: 100, lastRecordOffset: 6 },
    { time: 200, lastRecordOffset: 4 },
  ])
})

test('a batch that is cut off ends the search', () => {
  const bytes = Buffer.concat([data(1, 7), marker(3, 7, 100)])
  expect(markerTimes(bytes.subarray(0, bytes.length - 1))).toEqual([])
})
