import { expect, onTestFinished, test } from 'vitest'
import { type PartitionSource, startConsumption } from '../../../src/log/lmdb/consumption.ts'
import type { PartitionSession } from '../../../src/log/log.ts'
import { until } from '../../support/log-handlers.ts'
import { logRecord } from '../../support/log-record.ts'

const RECORD = logRecord(0, 0, { topic: 'signals', key: 'a', value: 'x' })

/** A source whose only record can be read again and again. */
function source(): PartitionSource {
  let loss: { readonly reason: unknown } | undefined
  return {
    topic: 'signals',
    partition: 0,
    open: () => {
      loss = undefined
      const session: PartitionSession = {
        topic: 'signals',
        partition: 0,
        committedOffset: 0,
        firstOffset: 0,
        endOffset: 1,
        commit: async () => {},
        isOver: false,
        lose: reason => {
          loss = { reason }
        },
      }
      return { session, lost: () => loss }
    },
    close: () => {},
    read: () => [RECORD],
    waitFor: async () => {},
  }
}

test('waits longer each time while sessions are lost during a batch, though the handler hides it', async () => {
  const waits: number[] = []
  const stopping = new AbortController()
  const consumption = startConsumption({
    group: 'scorers',
    sources: [source()],
    batchSize: 1,
    handler: {
      assigned: async () => 0,
      process: async session => session.lose(new Error('the store is away')),
      released: () => {},
    },
    onProblem: ({ retryInMs }) => waits.push(retryInMs),
    stopping,
  })
  onTestFinished(() => consumption.stop())
  await until(() => waits.length === 3)
  expect(waits).toEqual([100, 200, 400])
  expect(consumption.problem()).toBe('signals/0: the store is away')
})
