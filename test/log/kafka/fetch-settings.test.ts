import { expect, it } from 'vitest'
import { fetchLimits } from '../../../src/log/kafka/fetch-settings.ts'

const KIB = 1024
const MIB = 1024 * KIB

it.each([
  [1, MIB],
  [10, MIB],
  [11, Math.floor((32 * MIB) / 3 / 11)],
  [128, Math.floor((32 * MIB) / 3 / 128)],
  [100_000, 64 * KIB],
])('shares 32 MiB among three answers of each of %d partitions', (partitions, maxBytes) => {
  expect(fetchLimits({}, partitions)).toEqual({ maxBytes, minBytes: 1, maxWaitMs: 500, pauseMs: 15 })
})

it('uses the given settings', () => {
  const settings = {
    maxBytesPerPartition: 300 * KIB,
    maxBytes: 3 * MIB,
    minBytes: 5,
    maxWaitMs: 7,
    pauseMs: 15,
  }
  expect(fetchLimits(settings, 1)).toEqual({ maxBytes: 300 * KIB, minBytes: 5, maxWaitMs: 7, pauseMs: 15 })
  expect(fetchLimits(settings, 10)).toEqual({
    maxBytes: Math.floor(MIB / 10),
    minBytes: 5,
    maxWaitMs: 7,
    pauseMs: 15,
  })
})
