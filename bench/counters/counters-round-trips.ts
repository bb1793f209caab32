import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import { tickRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary, type ModelSource } from '../../src/models/model-library.ts'
import { QUIET_LOGGER } from '../logger.ts'
import { fillLog } from '../signals/fill-log.ts'
import { benchSignals, SIGNAL_STREAM } from '../signals/signals.ts'

/**
 * The most that any batch took. There were batches of one signal, batches of hundreds, and ticks. On Redis
 * each call is a round trip, whatever its size.
 */
export interface RoundTrips {
  readonly storeCallsPerBatch: number
  readonly transactionsPerBatch: number
  readonly storeCallsPerTick: number
}

const BATCH_SIZES = [1, 37, 1_000] as const
const SIGNALS = 2_000
/** Long enough that every account is due. */
const LATER_MS = 40 * 86_400_000
const PATIENCE_MS = 30_000
const EARLY_TICKS = 2

/**
 * Counts while a log in its own directory is scored, twice. In the second run all accounts are in the store
 * and none is in memory.
 */
export async function countRoundTrips(model: ModelSource): Promise<RoundTrips> {
  let most: RoundTrips = { storeCallsPerBatch: 0, transactionsPerBatch: 0, storeCallsPerTick: 0 }
  for (const batchSize of BATCH_SIZES) {
    const directory = await mkdtemp(join(tmpdir(), 'upswell-counters-'))
    try {
      for (const seed of [1, 2]) {
        const found = await countRun(directory, model, {
          batchSize,
          seed,
          count: Math.min(SIGNALS, batchSize * 50),
        })
        most = {
          storeCallsPerBatch: Math.max(most.storeCallsPerBatch, found.storeCallsPerBatch),
          transactionsPerBatch: Math.max(most.transactionsPerBatch, found.transactionsPerBatch),
          storeCallsPerTick: Math.max(most.storeCallsPerTick, found.storeCallsPerTick),
        }
      }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
  return most
}

interface Run {
  readonly batchSize: number
  readonly seed: number
  readonly count: number
}

async function countRun(
  directory: string,
  model: ModelSource,
  { batchSize, seed, count }: Run,
): Promise<RoundTrips> {
  const opened = await openEmbeddedBackend({ directory, partitions: 1 })
  try {
    const topics = topicNames('')
    const { start, spanMs } = SIGNAL_STREAM
    const early = { of: EARLY_TICKS, scope: 'all', clock: 'wall' } as const
    // The previous run's accounts are not in memory yet. Assigning the partition counts towards the first
    // batch.
    for (let slice = 0; slice < EARLY_TICKS; slice++)
      await opened.log.append([tickRecord(topics.signals, 0, start, { slice, ...early })])
    const records = await fillLog(opened.log, topics.signals, [model], benchSignals({ count, seed }))
    const at = start + spanMs + LATER_MS
    const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
    await opened.log.append([tickRecord(topics.signals, 0, at, tick)])
    const { backend, take } = counted(opened)
    let left = EARLY_TICKS + records + 1
    let batches = 0
    let storeCallsPerBatch = 0
    let transactionsPerBatch = 0
    let storeCallsPerTick = 0
    await new Promise<void>((resolve, reject) => {
      const giveUp = setTimeout(
        () => reject(new Error(`${left} records were not scored within ${PATIENCE_MS / 1000} s`)),
        PATIENCE_MS,
      )
      const scoring = startScoring({
        backend,
        publication: alwaysServing(topics),
        library: new ModelLibrary(),
        logger: QUIET_LOGGER,
        source: { topic: topics.signals, group: 'counters', batchSize },
        ticks: { models: undefined, now: () => at, intervalMs: 0 },
        shares: unlimitedShares(),
        onScored: report => {
          left -= report.records
          const { storeCalls, transactions } = take()
          batches++
          if (batches > 1) transactionsPerBatch = Math.max(transactionsPerBatch, transactions)
          if (batches > EARLY_TICKS && left > 0) storeCallsPerBatch = Math.max(storeCallsPerBatch, storeCalls)
          else if (batches > 1) storeCallsPerTick = Math.max(storeCallsPerTick, storeCalls)
          if (left > 0) return
          clearTimeout(giveUp)
          // Stopping waits for the batch under way, which is this one.
          setImmediate(() => scoring.then(({ stop }) => stop()).then(resolve, reject))
        },
      })
      scoring.catch(reject)
    })
    return { storeCallsPerBatch, transactionsPerBatch, storeCallsPerTick }
  } finally {
    await opened.close()
  }
}

/** `take` returns the calls since it was last called. */
function counted(backend: Backend) {
  let storeCalls = 0
  let transactions = 0
  const store = new Proxy(backend.store, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        storeCalls++
        return member.apply(target, args)
      }
    },
  })
  const counting: Backend = {
    ...backend,
    store,
    commitFlush: (session, batch) => {
      // The write in it is one call too, if log and store are two servers.
      storeCalls++
      transactions++
      return backend.commitFlush(session, batch)
    },
  }
  const take = () => {
    const taken = { storeCalls, transactions }
    storeCalls = 0
    transactions = 0
    return taken
  }
  return { backend: counting, take }
}
