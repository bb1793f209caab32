import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedLoads } from '../../src/api/read/shared-loads.ts'

interface Call {
  readonly partition: number
  readonly accountIds: readonly string[]
}

const WHOLE = { position: 1, wholeFrom: 0, fencingToken: 'owner' }

/** A store that knows every account except multiples of three, and records its calls. */
function countingStore() {
  const calls: Call[] = []
  let failing = false
  return {
    calls,
    failOnce: () => {
      failing = true
    },
    readAccounts: async (partition: number, accountIds: readonly string[]) => {
      calls.push({ partition, accountIds })
      if (failing) {
        failing = false
        throw new Error('the store is away')
      }
      return { accounts: accountIds.map(id => stateOf(partition, id)), progress: WHOLE }
    },
  }
}

function stateOf(partition: number, id: string): Uint8Array | undefined {
  return Number(id) % 3 === 0 ? undefined : Buffer.from(`${partition}/${id}`)
}

const anyLoads = fc.array(
  fc.record({
    partition: fc.integer({ min: 0, max: 3 }),
    accountIds: fc.array(fc.integer({ min: 0, max: 20 }).map(String), { maxLength: 5 }),
  }),
  { maxLength: 20 },
)

describe('shared loads', () => {
  it('are several calls if there are more than 1,000', async () => {
    const store = countingStore()
    const load = sharedLoads(store, { require: async () => {} })
    const ids = Array.from({ length: 2_500 }, (_, i) => String(i))
    expect(await load(0, ids)).toEqual(ids.map(id => stateOf(0, id)))
    expect(store.calls.map(({ accountIds }) => accountIds.length)).toEqual([1_000, 1_000, 500])
  })

  it('give each caller what a load of its own gives, in one call for each partition', async () => {
    await fc.assert(
      fc.asyncProperty(anyLoads, async loads => {
        const store = countingStore()
        const load = sharedLoads(store, { require: async () => {} })
        const found = await Promise.all(loads.map(({ partition, accountIds }) => load(partition, accountIds)))
        const alone = loads.map(({ partition, accountIds }) => accountIds.map(id => stateOf(partition, id)))
        expect(found).toEqual(alone)
        const partitions = store.calls.map(({ partition }) => partition)
        // A load of no accounts needs no call.
        const asked = loads.filter(({ accountIds }) => accountIds.length > 0)
        expect(partitions.toSorted()).toEqual([...new Set(asked.map(({ partition }) => partition))].sort())
      }),
    )
  })

  it('never reuse an earlier call: a load after another is a call of its own', async () => {
    const store = countingStore()
    const load = sharedLoads(store, { require: async () => {} })
    await load(0, ['1'])
    await load(0, ['1'])
    expect(store.calls).toHaveLength(2)
  })

  it('fail with the call that they share, and fail no other loads', async () => {
    const store = countingStore()
    const load = sharedLoads(store, { require: async () => {} })
    store.failOnce()
    const answers = await Promise.allSettled([load(0, ['1']), load(0, ['2']), load(1, ['4'])])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    await expect(load(0, ['1'])).resolves.toEqual([stateOf(0, '1')])
  })
})
