import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { isHead } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import { findCheckpoint } from '../../../src/consumers/checkpoints/read-checkpoint.ts'
import type { Progress, ScorerMeter } from '../../../src/consumers/scorer/scorer-meter.ts'
import type { Log, LogRecord } from '../../../src/log/log.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { CheckpointRun, TOPIC, TOPICS } from './checkpoint-run.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const INTERVAL_MS = 1000
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }

function usage(id: number, accountId: string, userId = 'u'): Signal {
  return {
    id: `s${id}`,
    kind: 'usage',
    name: 'report.exported',
    accountId,
    userId,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: NOW + id,
  }
}

/** A run whose log has the models, then one signal of each account. */
async function runOf(accounts: readonly string[], accountsPerBatch = 2) {
  const run = new CheckpointRun(new ModelLibrary(), { intervalMs: INTERVAL_MS, accountsPerBatch })
  await run.log.append([modelsRecord(TOPICS.signals, 0, NOW, [SOURCE])])
  await send(run, accounts)
  return run
}

async function send(run: CheckpointRun, accounts: readonly string[]): Promise<void> {
  for (const account of accounts)
    await run.log.append([signalRecord(TOPICS.signals, usage(run.log.end(TOPICS.signals), account), NOW)])
}

/** Adds ticks without effect, one a batch, until the due checkpoint is complete. */
async function completeCheckpoint(run: CheckpointRun): Promise<void> {
  await run.take()
  run.now += INTERVAL_MS
  for (let i = 0; i < 50 && run.scorer!.isCheckpointWaiting; i++) {
    await run.log.append([
      tickRecord(TOPICS.signals, 0, NOW, { slice: 0, of: 1, scope: 'due', clock: 'wall' }),
    ])
    await run.score(1)
  }
  expect(run.scorer!.isCheckpointWaiting).toBe(false)
}

/** Empties the store and lets a new owner score the log. Returns the logged lines. */
async function emptyAndScore(run: CheckpointRun): Promise<string[]> {
  run.store.empty()
  run.scorer = undefined
  run.lines.length = 0
  await run.score(10)
  return [...run.lines]
}

function expectAsFolded(run: CheckpointRun, signals: readonly LogRecord[] = run.signals()): void {
  const { contents } = foldPlainly(signals, run.library, 1)
  const sorted = (of: ReadonlyMap<string, string>) => [...of].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(sorted(run.store.contents())).toEqual(sorted(contents))
}

const ACCOUNTS = ['a', 'b', 'c', 'd', 'e']
const RESTORED =
  /^info activity-checkpoints partition 0: (\d+) accounts as of offset (\d+) are in the store again/

test('restores an emptied store from the checkpoint, then from the log after it', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  const { cut } = (await newestCheckpoint(run))!
  await send(run, ['a', 'f'])
  await run.score(10)
  const lines = await emptyAndScore(run)
  expect(RESTORED.exec(lines[0]!)?.slice(1)).toEqual(['5', String(cut)])
  expect(lines[1]).toMatch(/^info signals partition 0: the store is at \d+, \d+ records are folded again$/)
  expectAsFolded(run)
})

test('reports how many accounts of the checkpoint are in the store, until all are', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  run.store.empty()
  run.scorer = undefined
  const filled: (Progress | undefined)[] = []
  const meter = {
    lookedUp: () => {},
    loaded: () => {},
    flushed: () => {},
    filling: (_topic: string, _partition: number, progress: Progress | undefined) => filled.push(progress),
  } as Partial<ScorerMeter> as ScorerMeter
  await run.take({ meter })
  expect(filled).toEqual([{ done: 0, total: 5 }, { done: 5, total: 5 }, undefined])
})

test('says how far the newest checkpoint is behind the store, and how old it is', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  const { stored } = run.scorer!.offsets
  run.now += 100
  // There is none yet.
  expect(run.scorer!.state.checkpoint).toEqual({ records: stored, ageMs: 100 })
  await completeCheckpoint(run)
  const { cut } = (await newestCheckpoint(run))!
  const completeAt = run.now
  expect(run.scorer!.state.checkpoint).toEqual({ records: run.scorer!.offsets.stored - cut, ageMs: 0 })
  await send(run, ['a', 'f'])
  run.now += 500
  await run.score(10)
  expect(run.scorer!.state.checkpoint).toEqual({
    records: run.scorer!.offsets.stored - cut,
    ageMs: run.now - completeAt,
  })
})

test.each<[what: string, why: RegExp, spoil: (record: LogRecord, first: boolean) => LogRecord | undefined]>([
  [
    'of an unknown format',
    /its head is of format 2, where 1 can be read/,
    record =>
      isHead(record)
        ? { ...record, value: Buffer.from(String(record.value).replace('"format":1', '"format":2')) }
        : record,
  ],
  [
    'whose head is not JSON',
    /its head cannot be read: /,
    record => (isHead(record) ? { ...record, value: Buffer.from('{') } : record),
  ],
  [
    'that lacks an account',
    /it has 4 accounts of 5/,
    record => (String(record.key) === 'account:c' ? undefined : record),
  ],
  [
    'with an account of another version of the codec',
    /state of account "c": version 99, where 2 to 3 can be read/,
    record => {
      if (String(record.key) !== 'account:c') return record
      const value = Buffer.from(record.value!)
      value[0] = 99
      return { ...record, value }
    },
  ],
  [
    'with a truncated account',
    /state of account "c": /,
    record =>
      String(record.key) === 'account:c' ? { ...record, value: record.value!.subarray(0, 20) } : record,
  ],
])('reports a checkpoint %s, and folds the log from its beginning', async (_, why, spoil) => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  run.log.replace(TOPIC, record => spoil(record, false))
  const lines = await emptyAndScore(run)
  const error = lines.find(line => line.startsWith('error'))
  expect(error).toMatch(why)
  expect(error).toMatch(/; the log is folded from its beginning$/)
  expect(lines.some(line => RESTORED.test(line))).toBe(false)
  expectAsFolded(run)

  // The next checkpoint is complete again.
  await completeCheckpoint(run)
  const again = await emptyAndScore(run)
  expect(again[0]).toMatch(RESTORED)
  expectAsFolded(run)
})

test('does not use a checkpoint of a later offset than the committed one', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  run.committedOffset = 3
  const lines = await emptyAndScore(run)
  expect(lines[0]).toMatch(/^error .* the group is at 3: signals was recreated, or the group was moved back/)
  expectAsFolded(run)
})

test('ignores an unfinished checkpoint after the complete one; the next one is complete', async () => {
  const run = await runOf(ACCOUNTS, 1)
  await run.score(10)
  await completeCheckpoint(run)
  const complete = (await newestCheckpoint(run))!
  await send(run, ['a', 'b', 'c', 'd'])
  await run.score(10)
  run.now += INTERVAL_MS
  await send(run, ['e'])
  await run.score(10)
  expect(run.log.end(TOPIC)).toBeGreaterThan(complete.headOffset + 1)
  const lines = await emptyAndScore(run)
  expect(lines[0]).toMatch(RESTORED)
  expect(await newestCheckpoint(run)).toMatchObject({ headOffset: complete.headOffset, isLast: false })
  expectAsFolded(run)

  await completeCheckpoint(run)
  const next = (await newestCheckpoint(run))!
  expect(next.isLast).toBe(true)
  const written = run.log
    .records(TOPIC)
    .filter(({ offset, key }) => offset > complete.headOffset && String(key).startsWith('account:'))
  // The unfinished checkpoint held one of them too.
  expect(
    written
      .map(({ key }) => String(key))
      .slice(-5)
      .sort(),
  ).toEqual(ACCOUNTS.map(id => `account:${id}`))
  // After compaction only the new one is left.
  run.log.compact(TOPIC, run.log.end(TOPIC))
  expect((await emptyAndScore(run))[0]).toMatch(RESTORED)
  expectAsFolded(run)
})

test('a new owner writes only the changes since the newest checkpoint', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  const end = run.log.end(TOPIC)
  run.scorer = undefined
  await send(run, ['b'])
  await run.score(10)
  await completeCheckpoint(run)
  const keys = run.log
    .records(TOPIC)
    .filter(({ offset }) => offset >= end)
    .map(({ key }) => String(key))
  expect(keys).toEqual(['account:b', 'users:0:b', 'partition'])
  run.log.compact(TOPIC, run.log.end(TOPIC))
  expect((await emptyAndScore(run))[0]).toMatch(RESTORED)
  expectAsFolded(run)
})

test('an owner that refolds records after its checkpoint writes the next one, even if nothing else comes', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  await send(run, ['b', 'f'])
  await run.score(10)
  await emptyAndScore(run)
  expect(run.committedOffset).toBe(run.log.end(TOPICS.signals))
  const { cut } = (await newestCheckpoint(run))!
  await completeCheckpoint(run)
  expect((await newestCheckpoint(run))!.cut).toBeGreaterThan(cut)
})

test('an owner that refolds in several flushes writes the next checkpoint, even if the last one changes nothing', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  await send(run, ['b'])
  await run.log.append([{ topic: TOPICS.signals, key: 'b', value: 'no signal' }])
  await run.score(10)
  run.store.empty()
  run.scorer = undefined
  // Each record has a flush of its own. The last record is refused.
  await run.score(1)
  expect(run.committedOffset).toBe(run.log.end(TOPICS.signals))
  const { cut } = (await newestCheckpoint(run))!
  await completeCheckpoint(run)
  expect((await newestCheckpoint(run))!.cut).toBeGreaterThan(cut)
})

test('restores user chunks of several levels, and leaves out upper ones that were never kept', async () => {
  const run = await runOf(['few', 'large'])
  const signals = Array.from({ length: 2_500 }, (_, i) => usage(i + 10, 'large', `user-${i}`))
  await run.log.append(signals.map(signal => signalRecord(TOPICS.signals, signal, signal.occurredAt)))
  await run.score(500)
  await completeCheckpoint(run)
  await run.log.append(
    [7, 600, 2_600].map(user =>
      signalRecord(TOPICS.signals, usage(user + 10_000, 'large', `user-${user}`), NOW + 20_000),
    ),
  )
  await run.score(10)
  await completeCheckpoint(run)
  const levels = new Set(
    run.log.records(TOPIC).flatMap(({ key }) => /^users:(\d)/.exec(String(key))?.[1] ?? []),
  )
  expect(levels).toEqual(new Set(['0', '1', '2']))
  expect((await emptyAndScore(run))[0]).toMatch(RESTORED)
  expectAsFolded(run)
})

test('restores counters of events from pieces that a broker accepts', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  const { store } = run
  const counters = Array.from({ length: 4_000 }, (_, i) => ({
    book: 'kpi:model:measure',
    field: JSON.stringify(['2026-01', null, 'hot', `${'員'.repeat(95)}${i}`]),
    delta: i + 1,
  }))
  const { stored: storedOffset } = run.scorer!.offsets
  const nothing = { state: undefined, accounts: [], userChunks: [] }
  await store.save(0, {
    fencingToken: run.fencingToken,
    expectedStoredOffset: storedOffset,
    storedOffset,
    ...nothing,
    counters,
  })
  const before = await store.readPartitionCounters(0)
  await completeCheckpoint(run)
  const pieces = run.log.records(TOPIC).filter(({ key }) => String(key).startsWith('counters:'))
  expect(pieces.length).toBeGreaterThan(1)
  for (const { value } of pieces) expect(value!.length).toBeLessThan(1024 * 1024)
  expect((await emptyAndScore(run))[0]).toMatch(RESTORED)
  expect(await store.readPartitionCounters(0)).toEqual(before)
})

test('restores from the checkpoint when retention has deleted the beginning of signals, and reports a missing checkpoint', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await send(run, ['a', 'g'])
  await run.score(10)
  await completeCheckpoint(run)
  const whole = [...run.signals()]
  const { cut } = (await newestCheckpoint(run))!
  run.log.deleteBelow(TOPICS.signals, cut)
  const lines = await emptyAndScore(run)
  expect(lines[0]).toMatch(RESTORED)
  expect(lines.filter(line => line.startsWith('error'))).toEqual([])
  expectAsFolded(run, whole)

  run.scorer = undefined
  run.log.replace(TOPIC, () => undefined)
  run.lines.length = 0
  await run.take()
  expect(run.lines).toEqual([
    expect.stringMatching(
      /^error signals partition 0 begins at offset \d+: retention has deleted .* there is no checkpoint/,
    ),
  ])
})

test('reports retention that is ahead of the newest checkpoint', async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  await completeCheckpoint(run)
  await send(run, ['a', 'b', 'c'])
  await run.score(10)
  run.log.deleteBelow(TOPICS.signals, run.committedOffset - 1)
  run.scorer = undefined
  run.lines.length = 0
  await run.take()
  expect(run.lines).toEqual([
    expect.stringMatching(/^error .*, and the newest checkpoint is at offset \d+\. /),
  ])
})

test("restores a store from the checkpoint if it was rolled back to before the log's first offset", async () => {
  const run = await runOf(ACCOUNTS)
  await run.score(10)
  const old = { storedOffset: run.scorer!.offsets.stored }
  await send(run, ['a', 'h'])
  await run.score(10)
  await completeCheckpoint(run)
  const whole = [...run.signals()]
  const { cut } = (await newestCheckpoint(run))!
  run.log.deleteBelow(TOPICS.signals, cut)
  // The previous content of the store.
  run.store.empty()
  await run.store.fence(0, 'x')
  const write = { fencingToken: 'x', expectedStoredOffset: 0, ...old, state: undefined }
  await run.store.save(0, { ...write, accounts: [], userChunks: [], counters: [] })
  run.scorer = undefined
  run.lines.length = 0
  await run.score(10)
  expect(run.lines[0]).toMatch(RESTORED)
  expectAsFolded(run, whole)
})

test('empties and fills a partition again if its owner died while filling it', async () => {
  const run = await runOf(
    Array.from({ length: 400 }, (_, i) => `account-${i}`),
    100,
  )
  await run.score(100)
  await completeCheckpoint(run)
  const { store } = run
  const save = store.save.bind(store)
  let saves = 0
  store.save = async (partition, write) => {
    if (++saves === 2) throw new Error('died')
    await save(partition, write)
  }
  await expect(emptyAndScore(run)).rejects.toThrow('died')
  store.save = save
  expect(await store.readStoredOffset(0)).toBe(0)
  expect(await store.countDue(0, Number.POSITIVE_INFINITY)).toBeGreaterThan(0)
  await run.score(100)
  expect(run.lines.at(-2)).toMatch(RESTORED)
  expectAsFolded(run)
})

async function newestCheckpoint(run: CheckpointRun) {
  return await findCheckpoint(run.log as unknown as Log, TOPIC, 0)
}
