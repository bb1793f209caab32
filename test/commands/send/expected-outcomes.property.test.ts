import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExpectedOutcomes } from '../../../src/commands/send/expected-outcomes.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { LogEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2025-01-01T00:00:00Z')

const signals = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    accountId: fc.constantFrom('acme', 'globex'),
    // Up to 500 days, with many near each other.
    hour: fc.oneof(fc.integer({ min: 0, max: 12_000 }), fc.integer({ min: 11_000, max: 11_100 })),
    observedLater: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12_000 })),
  }),
  { maxLength: 60 },
)

test('counts what the fold counts', () => {
  fc.assert(
    fc.property(signals, fc.integer({ min: 0, max: 20 }), (given, skipped) => {
      const entries = given.map(
        ({ id, accountId, hour, observedLater }, offset): LogEntry & { signal: Signal } => {
          const occurredAt = START + hour * HOUR_MS
          const signal: Signal = {
            id,
            kind: 'usage',
            name: 'n',
            accountId,
            userId: undefined,
            quantityThousandths: 1000,
            properties: {},
            occurredAt,
          }
          const timestamp = occurredAt + observedLater * HOUR_MS
          return { type: 'signal', offset, timestamp, signal, history: true }
        },
      )
      const expected = new ExpectedOutcomes()
      entries.forEach(entry => {
        if (entry.type === 'signal') expected.add(entry.signal, entry.timestamp, entry.offset >= skipped)
      })
      const [memory, accounts] = [createPartitionMemory(), new Map()]
      foldBatch(entries.slice(0, skipped), memory, accounts)
      const { outcomes } = foldBatch(entries.slice(skipped), memory, accounts)
      expect(expected.counts).toEqual(outcomes)
      expect(expected.hasForgotten).toBe(false)
    }),
    { numRuns: 500 },
  )
})
