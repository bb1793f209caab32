import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import type { PartitionScorer } from '../../../src/consumers/scorer/partition-scorer.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { ID_CHUNK_NAMES } from '../../../src/scoring/activity/many-ids.ts'
import { decodeAccount } from '../../../src/scoring/codec/codec.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { HOUR_MS } from '../../../src/signals/time.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { CheckpointRun, TOPICS } from '../checkpoints/checkpoint-run.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }

function usage(id: string, accountId = 'acme', occurredAt = NOW): Signal {
  return {
    id,
    kind: 'usage',
    name: 'report.exported',
    accountId,
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `s${from + i}`)

/** A partition that is scored and stored batch by batch. */
class Installation {
  readonly run = new CheckpointRun(new ModelLibrary(), { intervalMs: 1e12 })

  static async make(): Promise<Installation> {
    const made = new Installation()
    await made.run.log.append([modelsRecord(TOPICS.signals, 0, NOW, [SOURCE])])
    await made.run.score(1)
    return made
  }

  async send(signals: readonly Signal[], time = NOW): Promise<void> {
    await this.run.log.append(signals.map(each => signalRecord(TOPICS.signals, each, time)))
    await this.run.score(500)
  }

  async account(accountId = 'acme') {
    const [bytes] = await this.run.store.load(0, [accountId])
    return decodeAccount(accountId, bytes!, this.run.scorer!.memory.modelSets)
  }

  async counted(): Promise<number> {
    const { activity } = await this.account()
    const { days } = activity.series.list[0]!
    return Array.from({ length: days.length }, (_, i) => days.count(i)).reduce((a, b) => a + b, 0)
  }

  /** How many id chunks the store holds. */
  async idChunks(accountId = 'acme'): Promise<number> {
    const keys = ID_CHUNK_NAMES.map(chunk => ({ accountId, chunk }))
    return (await this.run.store.loadUserChunks(0, keys)).filter(bytes => bytes !== undefined).length
  }

  expectAsFolded(): void {
    const sorted = (of: ReadonlyMap<string, string>) => [...of].sort(([a], [b]) => (a < b ? -1 : 1))
    const { contents } = foldPlainly(this.run.signals(), this.run.library, 1)
    expect(sorted(this.run.store.contents())).toEqual(sorted(contents))
  }
}

describe('a batch of 500 that is sent again after two others counts once', () => {
  test.each([false, true])('with new owners in between: %s', async restarts => {
    const made = await Installation.make()
    const batches = [0, 500, 1_000, 1_500].map(from => ids(from, from + 500).map(id => usage(id)))
    for (const batch of [...batches, batches[1]!]) {
      await made.send(batch)
      if (restarts) made.run.scorer = undefined
    }
    await made.run.take()
    expect(await made.counted()).toBe(2_000)
    made.expectAsFolded()
  })
})

test('the store is asked for chunks once a batch, and only for an account that has many ids', async () => {
  const made = await Installation.make()
  const load = vi.spyOn(made.run.store, 'loadUserChunks')
  await made.send(ids(0, 1_024).map(id => usage(id)))
  await made.send(ids(0, 400).map(id => usage(id, 'small')))
  // With this batch the account gets chunks: there are none to load.
  await made.send(ids(1_000, 1_100).map(id => usage(id)))
  expect(load).not.toHaveBeenCalled()
  expect(await made.idChunks()).toBe(ID_CHUNK_NAMES.length)
  load.mockClear()

  const signals = [...ids(1_100, 1_110), 's3'].map(id => usage(id))
  await made.send([...signals, ...ids(0, 10).map(id => usage(id, 'small'))])
  expect(load).toHaveBeenCalledTimes(1)
  const [, keys] = load.mock.lastCall!
  expect(new Set(keys.map(({ accountId }) => accountId))).toEqual(new Set(['acme']))
  expect(keys.length).toBeLessThanOrEqual(11)
  made.expectAsFolded()
})

test('when the clock moves 48 hours on, the store loses all id chunks, and a tick loads none for that', async () => {
  const made = await Installation.make()
  await made.send(ids(0, 1_500).map(id => usage(id)))
  expect(await made.idChunks()).toBeGreaterThan(120)
  const load = vi.spyOn(made.run.store, 'loadUserChunks')
  // By then the signals have left the model's windows, so the account is due.
  const later = NOW + 1_000 * HOUR_MS
  const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  await made.run.log.append([tickRecord(TOPICS.signals, 0, later, tick)])
  made.run.scorer = undefined
  await made.run.score(500)
  expect(load).not.toHaveBeenCalled()
  load.mockRestore()
  expect(await made.idChunks()).toBe(0)
  expect((await made.account()).activity.manyIds).toBeUndefined()

  // The same ids count again, and make chunks again.
  const again = ids(0, 1_500).map(id => usage(id, 'acme', later))
  await made.send(again, later)
  expect(await made.counted()).toBe(3_000)
  expect(await made.idChunks()).toBeGreaterThan(120)
  made.expectAsFolded()
})

test('id chunks that ended are removed in the write that makes new ones', async () => {
  const made = await Installation.make()
  await made.send(ids(0, 1_500).map(id => usage(id)))
  const later = NOW + 50 * HOUR_MS
  const signals = ids(5_000, 6_030).map(id => usage(id, 'acme', later))
  await made.run.log.append(signals.map(each => signalRecord(TOPICS.signals, each, later)))
  await made.run.score(2_000)
  expect((await made.account()).activity.manyIds).toMatchObject({ lastAppliedAt: later })
  made.expectAsFolded()
})

test('an account whose chunks were made, or ended, since the last write needs none from the store', async () => {
  const later = NOW + 50 * HOUR_MS
  const made = await Installation.make()
  made.run.scorer = undefined
  await made.run.take({ flushes: new FlushSchedule({ intervalMs: 1_000, now: () => 1 }) })
  await made.send([usage('other', 'other')])
  await made.send(ids(0, 1_100).map(id => usage(id)))
  const load = vi.spyOn(made.run.store, 'loadUserChunks')
  await made.send([...ids(0, 100), ...ids(1_100, 1_200)].map(id => usage(id)))
  // Now its ids are in the core again, and what the store may hold of them means nothing.
  for (const id of ['later', 'last']) await made.send([usage(id, 'acme', later)], later)
  expect(load).not.toHaveBeenCalled()
  load.mockRestore()
  await made.run.scorer!.flush()
  expect(await made.counted()).toBe(1_202)
  made.expectAsFolded()
})

test('loaded id chunks count as dirty memory until they are flushed', async () => {
  const made = await Installation.make()
  await made.send(ids(0, 1_100).map(id => usage(id)))
  made.run.scorer = undefined
  // The first step is flushed at once, and no other.
  await made.run.take({ flushes: new FlushSchedule({ intervalMs: 1_000, now: () => 1 }) })
  await made.send([usage('other', 'other')])
  const { store } = made.run
  const scorer = made.run.scorer as PartitionScorer | undefined
  const load = vi.spyOn(store, 'loadUserChunks')
  const before = scorer!.dirty.memoryBytes
  await made.send(['s7', 's8', 's7'].map(id => usage(id)))
  const loaded = (await load.mock.results[0]!.value) as (Uint8Array | undefined)[]
  const bytes = loaded.reduce((sum, each) => sum + (each?.length ?? 0), 0)
  expect(bytes).toBeGreaterThan(100)
  expect(scorer!.dirty.memoryBytes - before).toBeGreaterThan(2 * bytes)
  await made.send([usage('s8')])
  expect(load).toHaveBeenCalledTimes(1)
  load.mockRestore()
  await scorer!.flush()
  expect(scorer!.dirty.memoryBytes).toBe(0)
})
