import { describe, expect, test } from 'vitest'
import { hash64 } from '../../../src/lib/hash.ts'
import { createRandom } from '../../../src/sample/random.ts'
import type { Account } from '../../../src/scoring/account.ts'
import { NO_MODELS } from '../../../src/scoring/account.ts'
import { ID_LIMITS } from '../../../src/scoring/activity/id-limits.ts'
import { IdChunk, idChunkName, ManyIds } from '../../../src/scoring/activity/many-ids.ts'
import { decodeIdChunk, encodeIdChunk } from '../../../src/scoring/codec/chunk-codec.ts'
import { decodeAccount, encodeAccount, UnreadableStateError } from '../../../src/scoring/codec/codec.ts'
import { foldBatch } from '../../../src/scoring/fold.ts'
import type { LogEntry } from '../../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { HOUR_MS } from '../../../src/signals/time.ts'
import { ID_GROUPS, IDS_PER_GROUP } from '../../support/slow/slow-id-limits.ts'

const NOW = Date.UTC(2026, 8, 1, 12)

function signal(id: string, occurredAt = NOW): Signal {
  return {
    id,
    kind: 'usage',
    name: 'report.exported',
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

/** One partition that is folded batch by batch. */
class Folding {
  readonly outcomes = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  readonly #memory = createPartitionMemory()
  readonly #accounts = new Map<string, Account>()
  #offset = 0

  get account(): Account {
    return this.#accounts.get('acme')!
  }

  get counted(): number {
    const { days } = this.account.activity.series.list[0]!
    return Array.from({ length: days.length }, (_, i) => days.count(i)).reduce((a, b) => a + b, 0)
  }

  fold(signals: readonly Signal[], time = NOW, batchSize = 2_000): void {
    for (let from = 0; from < signals.length; from += batchSize) {
      const entries = signals.slice(from, from + batchSize).map((each): LogEntry => {
        const offset = this.#offset++
        return { type: 'signal', offset, timestamp: time, signal: each, history: false }
      })
      const { outcomes } = foldBatch(entries, this.#memory, this.#accounts)
      for (const outcome of ['applied', 'late', 'duplicate', 'too-old'] as const)
        this.outcomes[outcome] += outcomes[outcome]
    }
  }
}

const manyIds = (count: number, prefix = 's'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)

describe('a signal that is sent again', () => {
  test('counts once among 100,000 others of its account', () => {
    const signals = manyIds(100_000).map(id => signal(id))
    const random = createRandom(5)
    const folding = new Folding()
    folding.fold(signals)
    const again = signals.filter(() => random.next() < 0.5)
    folding.fold(again)
    expect(again.length).toBeGreaterThan(45_000)
    expect(folding.outcomes).toEqual({ applied: 100_000, late: 0, duplicate: again.length, 'too-old': 0 })
    expect(folding.counted).toBe(100_000)
    expect(folding.account.activity.dropped.ids).toBe(0)
  })

  test('counts once if it is the 1,025th, or an earlier one', () => {
    const folding = new Folding()
    const signals = manyIds(1_025).map(id => signal(id))
    folding.fold(signals)
    folding.fold(signals)
    expect(folding.counted).toBe(1_025)
  })

  test.each([
    { apart: 48 * HOUR_MS - 1, counted: 2_000 },
    { apart: 48 * HOUR_MS, counted: 4_000 },
  ])('$apart ms later counts up to $counted for 2,000', ({ apart, counted }) => {
    const folding = new Folding()
    const signals = manyIds(2_000).map(id => signal(id))
    folding.fold(signals)
    folding.fold(signals, NOW + apart)
    expect(folding.counted).toBe(counted)
  })
})

test('an account with many ids forgets each of them 48 hours after it was applied', () => {
  const folding = new Folding()
  const signals = manyIds(2_000).map(id => signal(id))
  folding.fold(signals)
  // It keeps the account's ids in chunks, but it changes only one of them.
  folding.fold([signal('later')], NOW + HOUR_MS)
  folding.fold(signals, NOW + 48 * HOUR_MS - 1)
  expect(folding.outcomes.duplicate).toBe(2_000)
  folding.fold(signals, NOW + 48 * HOUR_MS)
  expect(folding.outcomes.duplicate).toBe(2_000)
  expect(folding.account.activity.manyIds?.isOver).toBe(false)
  folding.fold(signals, NOW + 48 * HOUR_MS)
  expect(folding.outcomes.duplicate).toBe(4_000)
})

test('an account has many ids until 48 hours after the last of them, and then as few bytes as before', () => {
  const folding = new Folding()
  folding.fold([signal('few')])
  const few = encodeAccount(folding.account).length
  folding.fold(manyIds(1_024).map(id => signal(id)))
  const { activity } = folding.account
  expect(activity.recentIds.size).toBe(0)
  expect(activity.manyIds?.isOver).toBe(false)
  expect(encodeAccount(folding.account).length).toBeLessThan(few)
  expect(decodeAccount('acme', encodeAccount(folding.account), [NO_MODELS]).activity.manyIds).toMatchObject({
    lastAppliedAt: NOW,
    isWhole: false,
    isOver: false,
  })
  folding.fold([signal('later')], NOW + 48 * HOUR_MS - 1)
  expect(activity.manyIds?.isOver).toBe(false)
  folding.fold([signal('much later')], NOW + 96 * HOUR_MS - 1)
  expect(activity.manyIds?.isOver).toBe(true)
  expect(activity.recentIds.size).toBe(1)
  expect(encodeAccount(folding.account).length).toBeLessThanOrEqual(few + 4)
})

describe('id chunks', () => {
  test('have the limits that the slow evaluator has, and take over all ids of a core', () => {
    expect([ID_LIMITS.chunks, ID_LIMITS.perChunk]).toEqual([ID_GROUPS, IDS_PER_GROUP])
    expect(ID_LIMITS.perChunk).toBeGreaterThan(ID_LIMITS.inCore)
  })

  const random = createRandom(11)
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random.next() * 16).toString(16)).join('')
  test.each<[what: string, idOf: (i: number) => string]>([
    ['numbers', i => String(i)],
    ['numbers of one length', i => `evt_${String(i).padStart(12, '0')}`],
    ['offsets of partitions', i => `usage-${i % 12}-${Math.floor(i / 12)}`],
    ['times', i => new Date(NOW + i).toISOString()],
    ['random UUIDs', () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`],
    ['batches and lines', i => `load-2026-09-01.jsonl.gz:${Math.floor(i / 500)}:${i % 500}`],
  ])('have room for the promised ids: %s', (_, idOf) => {
    const counts = new Map<string, number>()
    for (let i = 0; i < ID_LIMITS.promised; i++) {
      const name = idChunkName(hash64(idOf(i)))
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect(counts.size).toBe(ID_LIMITS.chunks)
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(ID_LIMITS.perChunk)
  })

  test('lose the oldest id when they are full, and say so', () => {
    const ids = new ManyIds()
    const ofOneChunk = manyIds(400_000)
      .map(hash64)
      .filter(id => idChunkName(id) === 'i.5')
    const full = ofOneChunk.slice(0, ID_LIMITS.perChunk)
    for (const [i, id] of full.entries()) expect(ids.add(id, NOW + i, 0)).toBe(true)
    expect(ids.hasSince(full[0]!, 0)).toBe(true)
    expect(ids.add(ofOneChunk[ID_LIMITS.perChunk]!, NOW + 5_000, 0)).toBe(false)
    expect(ids.hasSince(full[0]!, 0)).toBe(false)
    expect(ids.hasSince(full[1]!, 0)).toBe(true)
    // With one forgotten, there is room for one.
    expect(ids.add(ofOneChunk[ID_LIMITS.perChunk + 1]!, NOW + 5_000, NOW + 1)).toBe(true)
    expect(encodeIdChunk(ids.chunks.get('i.5')!).length).toBeLessThan(24_000)
  })

  test('are read as they were written, and not if a byte is missing, added or of another version', () => {
    const ids = new ManyIds()
    for (const [i, id] of manyIds(60).entries()) ids.add(hash64(id), NOW + 3 * i, 0)
    for (const chunk of ids.chunks.values()) {
      const bytes = encodeIdChunk(chunk)
      const back = decodeIdChunk('acme', bytes)
      expect(back.isUnsaved).toBe(false)
      expect(encodeIdChunk(back)).toEqual(bytes)
      for (const damaged of [
        bytes.subarray(0, -1),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([Buffer.from([9]), bytes.subarray(1)]),
      ])
        expect(() => decodeIdChunk('acme', damaged)).toThrow(UnreadableStateError)
    }
    expect(encodeIdChunk(new IdChunk()).length).toBe(2)
  })
})
