import { hash64 } from '../../lib/hash.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import { partitionOf } from '../../log/partition-of.ts'
import { type AccountActivity, moveClock } from '../../scoring/activity/activity.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { Signal } from '../../signals/signal.ts'
import { readAccounts } from './read-account.ts'
import type { Served } from './served.ts'

/** What the store knows before signals are appended. */
export interface KnownBefore {
  /** The models that score now; empty: none do yet. */
  readonly models: readonly CompiledModel[]
  /** Whether the signal's account has applied its id already. */
  readonly isDuplicate: (signal: Signal) => boolean
}

/** A store that is slower than this must not hold up signals: the log alone makes them safe. */
const LONGEST_WAIT_MS = 250

/**
 * Reads the accounts of signals, in one round trip. Call it before the signals are appended, or they may be
 * found as duplicates of themselves. Undefined: the store did not answer in time.
 */
export async function readBefore(
  served: ReturnType<Served>,
  signals: readonly Signal[],
  now: number,
): Promise<KnownBefore | undefined> {
  let known: KnownBefore | undefined
  const reading = read(served, signals, now).then(
    found => {
      known = found
    },
    // The signals do not depend on it: the answer says that this was not checked.
    () => {},
  )
  await settlesWithin(LONGEST_WAIT_MS, reading)
  return known
}

async function read(
  { load, partitions }: ReturnType<Served>,
  signals: readonly Signal[],
  now: number,
): Promise<KnownBefore> {
  const count = await partitions.count()
  if (count === undefined) return { models: [], isDuplicate: () => false }
  const ids = [...new Set(signals.map(({ accountId }) => accountId))]
  const [accounts, { modelSets }] = await Promise.all([
    readAccounts(load, partitions, ids),
    partitions.memory(partitionOf(ids[0]!, count)),
  ])
  const activities = new Map<string, AccountActivity>()
  for (const [id, account] of accounts) {
    const activity = account.readActivity()
    // Forgets the ids that are past the dedup horizon when the signals arrive.
    moveClock(activity, now)
    activities.set(id, activity)
  }
  return {
    models: modelSets.at(-1)!.models,
    isDuplicate: ({ accountId, id }) => activities.get(accountId)?.recentIds.has(hash64(id)) === true,
  }
}
