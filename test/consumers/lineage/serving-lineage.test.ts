import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Backend } from '../../../src/consumers/backend.ts'
import { Lineages } from '../../../src/consumers/lineage/lineages.ts'
import { ServingLineage } from '../../../src/consumers/lineage/serving-lineage.ts'
import { UpswellError } from '../../../src/lib/errors.ts'
import type { GroupState, Log } from '../../../src/log/log.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { encodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { LINEAGE_NAMES } from './installation.ts'

const PROMOTED = 'default/v2'
const STORED = 5
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const library = new ModelLibrary()
const promoted = encodePartitionMemory(
  {
    ...createPartitionMemory(),
    promotion: { offset: 3, namespace: PROMOTED, replacedModels: [], isComplete: true },
  },
  library,
)

let original: MemoryStore
let replay: MemoryStore
let group: () => Promise<GroupState>
let serving: ServingLineage

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  original = new MemoryStore()
  replay = new MemoryStore()
  for (const store of [original, replay]) await store.claimPartitions(2)
  const metadata = new Map([0, 1].map(partition => [partition, `scores=${STORED}`]))
  const committed = new Map([0, 1].map(partition => [partition, STORED]))
  group = async () => ({ isConsuming: true, committed, metadata })
  const ranges = new Map([0, 1].map(partition => [partition, { first: 0, end: STORED }]))
  const log = { group: () => group(), ranges: async () => ranges } as Partial<Log> as Log
  const open = (store: MemoryStore): Backend =>
    ({
      log,
      store,
      inNamespace: async () => open(replay),
      close: async () => {},
    }) as Partial<Backend> as Backend
  serving = new ServingLineage(new Lineages(LINEAGE_NAMES, open(original), library), silent)
})

afterEach(() => {
  serving.stop()
  vi.useRealTimers()
})

async function fill(store: MemoryStore, partition: number): Promise<void> {
  await store.fence(partition, 'owner', STORED)
  await store.save(partition, {
    fencingToken: 'owner',
    expectedStoredOffset: 0,
    storedOffset: STORED,
    state: promoted,
    accounts: [],
    userChunks: [],
    counters: [],
  })
}

it('is not known before every partition of a promoted replay is whole, which alone shows that it serves', async () => {
  await fill(original, 0)
  await fill(replay, 0)
  await replay.fence(1, 'owner', STORED)
  serving.start()
  await looked()
  expect(serving.isKnown).toBe(false)
  await fill(replay, 1)
  await looked()
  await looked()
  expect([serving.isKnown, serving.current.names.namespace]).toEqual([true, PROMOTED])
})

it('is not known in an emptied store before a scorer fences it: the log says that records were scored', async () => {
  original.empty()
  serving.start()
  await looked()
  expect(serving.isKnown).toBe(false)
})

it('is known without the log if the store says that it is whole', async () => {
  group = async () => {
    throw new UpswellError('LOG_UNAVAILABLE', 'away', { canRetry: true })
  }
  for (const store of [original, replay]) for (const partition of [0, 1]) await fill(store, partition)
  serving.start()
  await looked()
  expect([serving.isKnown, serving.current.names.namespace]).toEqual([true, PROMOTED])
})

/** One more look, to its end. */
async function looked(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1_000)
  await new Promise(setImmediate)
}
