import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { findCheckpoint } from '../../../src/consumers/checkpoints/read-checkpoint.ts'
import { Ticker } from '../../../src/consumers/scorer/ticker.ts'
import type { Log } from '../../../src/log/log.ts'
import { modelsRecord, signalRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { CheckpointRun, TOPIC, TOPICS } from './checkpoint-run.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const TICK_INTERVAL_MS = 1000
const CHECKPOINT_INTERVAL_MS = 5000
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }

/** A partition of five accounts, in which time passes while no signal comes. */
async function idlePartition() {
  const library = new ModelLibrary()
  const run = new CheckpointRun(library, { intervalMs: CHECKPOINT_INTERVAL_MS, accountsPerBatch: 2 })
  run.now = NOW
  await run.log.append([modelsRecord(TOPICS.signals, 0, NOW, [SOURCE])])
  const send = async (accountId: string, id: string): Promise<void> => {
    const parts = { userId: undefined, quantityThousandths: 1000, properties: {}, occurredAt: run.now }
    const signal = { id, kind: 'usage', name: 'report.exported', accountId, ...parts } as const
    await run.log.append([signalRecord(TOPICS.signals, signal, run.now)])
  }
  for (const accountId of ['a', 'b', 'c', 'd', 'e']) await send(accountId, `s-${accountId}`)
  await run.score(10)
  let interval = (): void => {}
  const ticker = new Ticker(
    {
      ...run.context(),
      source: { topic: TOPICS.signals },
      ticks: {
        models: [SOURCE],
        now: () => run.now,
        intervalMs: TICK_INTERVAL_MS,
        every: (_, call) => {
          interval = call
          return () => {}
        },
      },
    },
    new Map([[0, run.scorer!]]),
  )
  ticker.start()
  ticker.look(0)
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      run.now += TICK_INTERVAL_MS
      interval()
      await new Promise(resolve => setImmediate(resolve))
      if (run.scorer!.offsets.stored === run.log.end(TOPICS.signals)) continue
      await run.score(10)
      ticker.look(0)
    }
  }
  const newest = () => findCheckpoint(run.log as unknown as Log, TOPIC, 0)
  return { run, send, pass, newest }
}

test('writes a checkpoint in an idle partition, then appends nothing more', async () => {
  const { run, pass, newest } = await idlePartition()
  await pass(4)
  expect(run.log.end(TOPIC)).toBe(0)
  await pass(20)
  expect(await newest()).toMatchObject({ cut: 6, accounts: 5, isLast: true })
  const ends = [run.log.end(TOPICS.signals), run.log.end(TOPIC)]
  expect(ends[0]).toBeLessThan(6 + 10)
  await pass(500)
  expect([run.log.end(TOPICS.signals), run.log.end(TOPIC)]).toEqual(ends)
})

test('writes one more checkpoint after a change, and no other', async () => {
  const { run, send, pass, newest } = await idlePartition()
  await pass(30)
  await send('c', 's-new')
  await run.score(10)
  const cut = run.scorer!.offsets.stored
  await pass(30)
  expect(await newest()).toMatchObject({ cut, accounts: 5, isLast: true })
  const ends = [run.log.end(TOPICS.signals), run.log.end(TOPIC)]
  await pass(500)
  expect([run.log.end(TOPICS.signals), run.log.end(TOPIC)]).toEqual(ends)
})
