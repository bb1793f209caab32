import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import { Ticker } from '../../../src/consumers/scorer/ticker.ts'
import type { Log, OutgoingRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../../src/models/model-library.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const HOUR_MS = 3_600_000
const TOPICS = topicNames('')
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }

/**
 * A ticker of one partition, with offset 3 of 5 read, and an empty store. `whileRead` runs when the ticker
 * reads the stored offset, and returns the answer.
 */
function startTicker(
  models: readonly ModelSource[],
  whileRead?: (offsets: { folded: number; stored: number }) => number,
) {
  const clock = { now: NOW }
  const appended: (string | undefined)[] = []
  let interval = (): void => {}
  const log = {
    append: async (records: readonly OutgoingRecord[]) => {
      appended.push(...records.map(({ headers }) => headers?.['upswell-record']?.toString()))
      return records.map((_, i) => ({ partition: 0, offset: 5 + i }))
    },
  }
  const owned = {
    session: { partition: 0, endOffset: 5 },
    memory: createPartitionMemory(),
    offsets: { folded: 3, stored: 3 },
    isCheckpointWaiting: false,
  }
  const store = new MemoryStore()
  if (whileRead !== undefined) store.readStoredOffset = async () => whileRead(owned.offsets)
  const ticker = new Ticker(
    {
      backend: { log: log as Pick<Log, 'append'> as Log, store },
      publication: alwaysServing(TOPICS),
      source: { topic: TOPICS.signals },
      library: new ModelLibrary(),
      logger: { info: () => {}, warn: () => {}, error: () => {} },
      ticks: {
        models,
        now: () => clock.now,
        intervalMs: 1000,
        every: (_, call) => {
          interval = call
          return () => {}
        },
      },
    },
    new Map([[0, owned]]),
  )
  ticker.start()
  ticker.look(0)
  const passTurn = () => new Promise(resolve => setImmediate(resolve))
  const passInterval = async (): Promise<void> => {
    await passTurn()
    interval()
    await passTurn()
  }
  return { clock, appended, passInterval }
}

test('appends a tick when the store is emptied while no record comes, so that the loop notices', async () => {
  const { appended, passInterval } = startTicker([])
  await passInterval()
  expect(appended).toEqual(['tick'])
})

test('appends no tick when a flush moves the store while its offset is read', async () => {
  const { appended, passInterval } = startTicker([], offsets => {
    const before = offsets.stored
    offsets.folded = 4
    offsets.stored = 4
    return before
  })
  await passInterval()
  expect(appended).toEqual([])
})

test('appends the configured models even if the clock was set back', async () => {
  const { clock, appended, passInterval } = startTicker([SOURCE])
  clock.now = NOW - HOUR_MS
  await passInterval()
  expect(appended).toEqual(['models', 'tick'])
})
