import type { Backend } from '../../src/consumers/backend.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { decodePartitionMemory } from '../../src/models/partition-memory-codec.ts'
import { decodeScores } from '../../src/scoring/codec/codec.ts'
import { DUE_BUCKETS, dueBucketOf } from '../../src/scoring/due-slices.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { DAY_MS } from '../../src/signals/time.ts'
import { type AccountWrite, listName } from '../../src/store/store.ts'
import { createRandom } from '../signals/random.ts'
import { SIGNAL_STREAM } from '../signals/signals.ts'

/**
 * All signals fall on this day. Every window of rolling-score is 30 days long, so all accounts are due at the
 * midnight 30 days later.
 */
const DAY = SIGNAL_STREAM.start
export const MIDNIGHT = DAY + 30 * DAY_MS

/** These put an account into the second tier or just below it. At midnight all scores are 0 again. */
const SIGNALS_OF_AN_ACCOUNT = 8
const ACCOUNTS_AT_ONCE = 1_000

/** A few signals of each account, all on one day. */
export function* signalsOfOneDay(accounts: number, seed: number): Generator<Signal> {
  const random = createRandom(seed)
  const { usageNames, users } = SIGNAL_STREAM
  for (let i = 0; i < accounts * SIGNALS_OF_AN_ACCOUNT; i++) {
    const accountId = `account-${i % accounts}`
    yield {
      id: `s-${i}`,
      kind: 'usage',
      name: usageNames[random.below(usageNames.length)]!,
      accountId,
      userId: `${accountId}-user-${random.below(users)}`,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: DAY + Math.floor((i * DAY_MS) / (accounts * SIGNALS_OF_AN_ACCOUNT)),
    }
  }
}

/**
 * Adds copies of each account to the store, with new names. This makes a million accounts without the hour
 * that folding their signals would take. It leaves out their users, which time does not read. No process may
 * own the partitions meanwhile. Returns the number of accounts.
 */
export async function copyAccounts({ store }: Backend, partitions: number, copies: number): Promise<number> {
  const library = new ModelLibrary()
  const buckets = Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)
  const fencingToken = 'copies'
  let accounts = 0
  for (let partition = 0; partition < partitions; partition++) {
    const { storedOffset, state } = await store.fence(partition, fencingToken)
    const { modelSets } = decodePartitionMemory(state, library)
    const ids = await store.due(partition, buckets, Number.POSITIVE_INFINITY)
    const states = await store.load(partition, ids)
    let waiting: AccountWrite[] = []
    const save = async (): Promise<void> => {
      await store.save(partition, {
        fencingToken,
        expectedStoredOffset: storedOffset,
        storedOffset,
        state: undefined,
        accounts: waiting,
        userChunks: [],
        counters: [],
      })
      waiting = []
    }
    for (const [i, id] of ids.entries()) {
      const bytes = states[i]!
      const { dueAt, standings } = decodeScores(id, bytes, modelSets)
      for (let copy = 1; copy < copies; copy++) {
        const accountId = `copy-${copy}-${id}`
        const listingsAdded = standings.map(({ model: { definition }, tier, score }) => ({
          list: listName(definition.id),
          tier: definition.tiers[tier]!.name,
          score,
          accountId,
        }))
        waiting.push({
          accountId,
          bytes,
          bucket: dueBucketOf(accountId),
          dueAt,
          listingsAdded,
          listingsRemoved: [],
        })
        if (waiting.length >= ACCOUNTS_AT_ONCE) await save()
      }
    }
    await save()
    accounts += ids.length * copies
  }
  return accounts
}
