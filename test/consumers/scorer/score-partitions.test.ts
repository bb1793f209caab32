import { expect, test } from 'vitest'
import type { Backend } from '../../../src/consumers/backend.ts'
import { startScoring } from '../../../src/consumers/scorer/score-partitions.ts'
import type { ConsumeOptions, Log, PartitionHandler } from '../../../src/log/log.ts'
import { modelsAt, onePartition, signal, signalAt } from '../../support/one-partition.ts'

/** Scoring whose clock does not move: a flush is due once. The test calls the log's handler itself. */
async function startedScoring() {
  const { context, session, store } = onePartition()
  let handler: PartitionHandler | undefined
  const log = {
    partitions: async () => 1,
    append: async () => [],
    consume: async (options: ConsumeOptions) => {
      handler = options.handler
      return { stop: async () => {}, problem: () => undefined, waitingMs: () => 0, assignments: () => [] }
    },
  } as Pick<Log, 'partitions' | 'append' | 'consume'> as Log
  const scoring = await startScoring({
    ...context,
    backend: { ...context.backend, log } as Backend,
    source: { topic: session.topic, group: 'score', batchSize: 100 },
    ticks: { models: undefined, now: () => 0, intervalMs: 0 },
    flush: { intervalMs: 1_000, now: () => 0 },
  })
  return { scoring, handler: handler!, session, store }
}

test('a batch that is processed while scoring stops is flushed', async () => {
  const { scoring, handler, session, store } = await startedScoring()
  await handler.assigned(session)
  await handler.process(session, [modelsAt(0)])
  await handler.process(session, [signalAt(1, signal('a', 'known'))])
  expect(await store.readStoredOffset(0)).toBe(1)
  await scoring.stop()
  expect(await store.readStoredOffset(0)).toBe(2)
  await handler.process(session, [signalAt(2, signal('b', 'known'))])
  expect(await store.readStoredOffset(0)).toBe(3)
})

test('the release of an older session leaves the newer one as it is', async () => {
  const { scoring, handler, session, store } = await startedScoring()
  const newer = { ...session }
  await handler.assigned(session)
  await handler.assigned(newer)
  handler.released(session)
  await handler.process(newer, [modelsAt(0)])
  expect(await store.readStoredOffset(0)).toBe(1)
  handler.released(newer)
  await scoring.stop()
})

test('is not ready, and says how far the store is, until it holds what was published before it was lost', async () => {
  const { scoring, handler, session, store } = await startedScoring()
  await handler.assigned({ ...session, committedOffset: 2, committedMetadata: 'scores=2' })
  expect(await store.readProgress([0])).toMatchObject([{ position: 0, wholeFrom: 2 }])
  await handler.process(session, [modelsAt(0)])
  expect(scoring.problem()).toBe('signals partition 0 is being filled: the store is at 1 of 2')
  await handler.process(session, [signalAt(1, signal('a', 'known'))])
  await scoring.stop()
  expect(await store.readStoredOffset(0)).toBe(2)
  expect(scoring.problem()).toBeUndefined()
})
