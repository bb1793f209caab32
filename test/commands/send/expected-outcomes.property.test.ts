import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExpectedOutcomes } from '../../../src/commands/send/expected-outcomes.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2025-01-01T00:00:00Z')

interface Sent {
  readonly id: string
  readonly accountId: string
  /** Hours from the start. */
  readonly occurred: number
  readonly observed: number
}

const ids = { id: fc.constantFrom('a', 'b', 'c'), accountId: fc.constantFrom('acme', 'globex') }

/** Up to 500 days in any order. */
const anyOrder = fc.array(
  fc
    .record({
      ...ids,
      occurred: fc.integer({ min: 0, max: 12_000 }),
      later: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12_000 })),
    })
    .map(({ later, ...sent }): Sent => ({ ...sent, observed: sent.occurred + later })),
  { maxLength: 60 },
)

/** Time goes on in steps about as long as an id is known, 48 hours. */
const oldestFirst = fc
  .array(fc.record({ ...ids, step: fc.constantFrom(0, 1, 24, 47, 48, 49, 96) }), { maxLength: 60 })
  .map(signals => {
    let hour = 0
    return signals.map(({ step, ...sent }): Sent => {
      hour += step
      return { ...sent, occurred: hour, observed: hour }
    })
  })

function entryOf({ id, accountId, occurred, observed }: Sent, offset: number) {
  const signal: Signal = {
    id,
    kind: 'usage',
    name: 'n',
    accountId,
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt: START + occurred * HOUR_MS,
  }
  return { type: 'signal', offset, timestamp: START + observed * HOUR_MS, signal, history: true } as const
}

test.each([
  ['in any order', anyOrder],
  ['oldest first', oldestFirst],
])('signals %s are counted as the fold counts them', (_, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, fc.integer({ min: 0, max: 20 }), (sent, skipped) => {
      const entries = sent.map(entryOf)
      const expected = new ExpectedOutcomes()
      for (const { signal, timestamp, offset } of entries) expected.add(signal, timestamp, offset >= skipped)
      const [memory, accounts] = [createPartitionMemory(), new Map()]
      foldBatch(entries.slice(0, skipped), memory, accounts)
      const { outcomes } = foldBatch(entries.slice(skipped), memory, accounts)
      expect(expected.counts).toEqual(outcomes)
      expect(expected.hasForgotten).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('with too many ids to keep it says that there may be more duplicates', () => {
  const expected = new ExpectedOutcomes(2)
  for (const [offset, id] of ['a', 'b', 'b', 'c', 'a', 'a'].entries()) {
    const { signal, timestamp } = entryOf({ id, accountId: 'acme', occurred: 0, observed: 0 }, offset)
    expected.add(signal, timestamp)
  }
  expect(expected.counts.duplicate).toBe(2)
  expect(expected.hasForgotten).toBe(true)
})
