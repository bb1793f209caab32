import { expect, test } from 'vitest'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import { alwaysServing, type Publication } from '../../../src/consumers/scorer/publication.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { logRecord } from '../../support/log-record.ts'
import { modelsAt, onePartition, promotionAt, signal, signalAt } from '../../support/one-partition.ts'

const AWAY = new Error('the store is away')

test('loses the session after a failed flush, and does nothing that waits for its turn', async () => {
  const { store, committed, lost, take } = onePartition()
  const scorer = await take()
  await scorer.score([modelsAt(0)])
  const save = store.save.bind(store)
  store.save = async () => {
    store.save = save
    throw AWAY
  }
  const failing = scorer.score([signalAt(1, signal('a', 'known'))])
  const waiting = [scorer.score([signalAt(2, signal('b', 'known'))]), scorer.flush(), scorer.flushIfDue()]
  await expect(failing).rejects.toBe(AWAY)
  const before = committed.length
  await Promise.all(waiting)
  await scorer.score([signalAt(2, signal('b', 'known'))])
  expect(lost).toEqual([AWAY])
  expect(committed).toHaveLength(before)
  expect(await store.readStoredOffset(0)).toBe(1)
})

test('loses the session when the flush of the timer fails', async () => {
  const { store, lost, take } = onePartition()
  const clock = { now: 0 }
  const scorer = await take({ flushes: new FlushSchedule({ intervalMs: 1_000, now: () => clock.now }) })
  await scorer.score([modelsAt(0)])
  await scorer.score([signalAt(1, signal('a', 'known'))])
  store.save = () => Promise.reject(AWAY)
  clock.now = 10_000
  await expect(scorer.flushIfDue()).rejects.toBe(AWAY)
  expect(lost).toEqual([AWAY])
})

test('does nothing after its release', async () => {
  const { store, committed, take } = onePartition()
  const scorer = await take({ flushes: new FlushSchedule({ intervalMs: 1_000, now: () => 0 }) })
  await scorer.score([modelsAt(0)])
  await scorer.score([signalAt(1, signal('a', 'known'))])
  const before = committed.length
  scorer.release()
  await scorer.flush()
  await scorer.score([signalAt(2, signal('b', 'known'))])
  expect(committed).toHaveLength(before)
  expect(await store.readStoredOffset(0)).toBe(1)
})

test('during a backlog, a commit that takes longer than the interval brings no early flush', async () => {
  const { store, session, take } = onePartition()
  const clock = { now: 0 }
  const scorer = await take({ flushes: new FlushSchedule({ intervalMs: 250, now: () => clock.now }) })
  await scorer.score([modelsAt(0)])
  session.commit = async () => {
    clock.now += 300
  }
  for (let offset = 1; offset <= 10; offset++)
    await scorer.score([signalAt(offset, signal(`s-${offset}`, 'known'))])
  expect(await store.readStoredOffset(0)).toBe(1)
  clock.now += 250
  await scorer.flushIfDue()
  expect(await store.readStoredOffset(0)).toBe(11)
})

test('writes no checkpoint while committed records are refolded', async () => {
  const { committed, take } = onePartition()
  const first = await take()
  await first.score([modelsAt(0), signalAt(1, signal('a', 'known'))])
  const checkpoints = { topic: 'checkpoints', timing: { intervalMs: 0, now: () => 0 } }
  const second = await take({ checkpoints }, { committedOffset: 4 })
  const cutsAfter = async (offset: number): Promise<unknown[]> => {
    await second.score([signalAt(offset, signal(`s-${offset}`, 'known'))])
    return committed
      .flat()
      .filter(({ topic, key }) => topic === 'checkpoints' && key === 'partition')
      .map(({ headers }) => headers?.['upswell-cut'])
  }
  // A checkpoint of these offsets may hold less than one that was written before the store was rolled back.
  expect(await cutsAfter(2)).toEqual([])
  // From the committed offset on, a flush may write a checkpoint of the store before it.
  expect(await cutsAfter(3)).toEqual(['3'])
})

test('skips records that the store holds, and commits how far scores are published', async () => {
  const { committed, take } = onePartition()
  const records = [modelsAt(0), signalAt(1, signal('a', 'known'))]
  await (await take()).score(records)
  const before = committed.length
  const offsets: unknown[] = []
  const commit = async (_: unknown, nextOffset: number, metadata?: string): Promise<void> => {
    offsets.push([nextOffset, metadata])
  }
  // The group was moved back to the beginning.
  const scorer = await take({}, { commit })
  expect(scorer.offsets.start).toBe(0)
  await scorer.score(records)
  // The log has 1,000 records, and it is not known which of them were scored before.
  expect(offsets).toEqual([[2, 'scores=2 uncertain=1000']])
  expect(committed).toHaveLength(before)
})

function unreadableAt(offset: number): LogRecord {
  return logRecord(0, offset, { topic: 'signals', key: 'x', value: 'no JSON' })
}

test('publishes what precedes a promotion as the lineage was before it, then waits, then publishes as after', async () => {
  const { committed, take } = onePartition()
  const steps: string[] = []
  const publication: Publication = {
    ...alwaysServing(topicNames('')),
    topics: ({ promotion }) => topicNames(promotion === undefined ? 'shadow.' : ''),
    beforePromotion: async (_, { offset }) => {
      steps.push(`${publishedTopics().join(' ')}, wait before ${offset}`)
    },
  }
  const publishedTopics = (): string[] =>
    committed.splice(0).flatMap(batch => batch.map(({ topic }) => topic))
  const scorer = await take({
    publication,
    flushes: new FlushSchedule({ intervalMs: 1_000, now: () => 0 }),
  })
  await scorer.score([modelsAt(0)])
  committed.splice(0)
  // The flush of the models was the only one that is due.
  await scorer.score([signalAt(1, signal('a', 'known')), unreadableAt(2)])
  await scorer.score([promotionAt(3, 'default/v2'), signalAt(4, signal('b', 'other')), unreadableAt(5)])
  await scorer.flush()
  expect(steps).toEqual(['shadow.dead-letter shadow.account-scores, wait before 3'])
  expect(publishedTopics()).toEqual(['dead-letter', 'account-scores'])
})
