import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import { foldBatch } from '../../src/scoring/fold.ts'
import type { LogEntry } from '../../src/scoring/log-entry.ts'
import { createPartitionMemory } from '../../src/scoring/partition-memory.ts'
import type { Signal } from '../../src/signals/signal.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const THEN = Date.parse('2013-05-01T12:00:00Z')
const DAY_MS = 86_400_000
const [model] = new ModelLibrary().compileAll([
  { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') },
])

/** A partition that folds each record as it is appended. */
class Partition {
  readonly memory = createPartitionMemory()
  readonly accounts = new Map<string, Account>()
  #offset = 0

  append(record: Record<string, unknown>) {
    return foldBatch([{ offset: this.#offset++, ...record } as LogEntry], this.memory, this.accounts)
  }

  models(at: number) {
    return this.append({ type: 'models', at, models: [model!] })
  }

  signal(timestamp: number, history: boolean, accountId = 'acme', id = `s-${this.#offset}`) {
    const signal: Signal = {
      id,
      kind: 'usage',
      name: 'n',
      accountId,
      userId: 'u',
      quantityThousandths: 1000,
      properties: {},
      occurredAt: timestamp,
    }
    return this.append({ type: 'signal', timestamp, signal, history })
  }

  tick(timestamp: number, clock: 'wall' | 'event', scope: 'due' | 'all' = 'due') {
    return this.append({ type: 'tick', timestamp, slice: 0, of: 1, scope, clock })
  }

  get clock(): number {
    return this.clockOf('acme')
  }

  clockOf(accountId: string): number {
    return this.accounts.get(accountId)!.activity.clock
  }
}

describe('while history is loaded', () => {
  test('a tick of the wall clock does nothing', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, true)
    partition.tick(NOW, 'wall')
    expect(partition.clock).toBe(THEN)
    expect(partition.signal(THEN + DAY_MS, true).outcomes.applied).toBe(1)
  })

  test('a models record switches each account at its own clock', () => {
    const partition = new Partition()
    partition.signal(THEN, true)
    partition.models(NOW)
    partition.tick(NOW, 'wall', 'all')
    expect(partition.clock).toBe(THEN)
    expect(partition.accounts.get('acme')!.standings).toHaveLength(1)
    expect(partition.memory.modelSets).toHaveLength(1)
  })

  test('a tick with the time of the events passes time', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, true)
    partition.tick(THEN + 60 * DAY_MS, 'event')
    expect(partition.clock).toBe(Date.parse('2013-05-31T00:00:00Z'))
  })

  test('a live record or a live signal lets the wall clock pass again', () => {
    for (const goLive of [
      (partition: Partition) => partition.append({ type: 'live', slices: 1 }),
      (partition: Partition) => partition.signal(THEN + 1, false),
    ]) {
      const partition = new Partition()
      partition.models(NOW)
      partition.signal(THEN, true)
      goLive(partition)
      partition.tick(NOW, 'wall')
      expect(partition.clock).toBe(Date.parse('2013-05-31T00:00:00Z'))
    }
  })
})

describe('one old line on a live system', () => {
  const LATER = NOW + 60 * DAY_MS

  test('stops the time of a new account alone', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(NOW, false, 'bolt')
    partition.signal(THEN, true)
    partition.tick(LATER, 'wall')
    expect(partition.clock).toBe(THEN)
    expect(partition.clockOf('bolt')).toBeGreaterThan(NOW)
  })

  test('stops no time if the account is live', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(NOW, false)
    partition.signal(NOW, false, 'bolt')
    expect(partition.signal(NOW - 5 * DAY_MS, true).outcomes.late).toBe(1)
    partition.tick(LATER, 'wall')
    expect(partition.clock).toBeGreaterThan(NOW)
    expect(partition.clockOf('bolt')).toBe(partition.clock)
  })

  test('lets the ticks at its end pass no live account', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, false, 'bolt')
    partition.signal(THEN, true)
    partition.tick(THEN + 60 * DAY_MS, 'event')
    expect(partition.clock).toBeGreaterThan(THEN)
    expect(partition.clockOf('bolt')).toBe(THEN)
  })

  test('leaves later models to switch each account at its own time', () => {
    const partition = new Partition()
    partition.signal(THEN, true)
    partition.signal(NOW, false, 'bolt')
    partition.models(LATER)
    // It was in history when the models came.
    partition.append({ type: 'live', slices: 1 })
    partition.signal(THEN + DAY_MS, true)
    expect(partition.accounts.get('acme')!.standings[0]!.tierSince).toBe(THEN)
    partition.tick(LATER, 'wall', 'all')
    expect(partition.clockOf('bolt')).toBe(LATER)
  })

  test('does not take an account back into history after a live record', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, true)
    partition.append({ type: 'live', slices: 1 })
    partition.signal(THEN + 1, true)
    partition.tick(NOW, 'wall')
    expect(partition.clock).toBeGreaterThan(THEN + DAY_MS)
  })
})

describe('the release after a live record', () => {
  const slice = (partition: Partition, of: number, number: number, clock = 'wall') =>
    partition.append({ type: 'tick', timestamp: NOW, slice: number, of, scope: 'due', clock })

  test('ends after the last slice of a series that began after it', () => {
    const partition = new Partition()
    partition.signal(THEN, true)
    slice(partition, 4, 0)
    partition.append({ type: 'live', slices: 1 })
    for (const number of [1, 2, 3]) slice(partition, 4, number)
    expect(partition.memory.release).toBeDefined()
    slice(partition, 4, 0)
    // Another owner counts again.
    for (const number of [0, 1]) slice(partition, 2, number, 'event')
    slice(partition, 2, 0)
    for (const number of [1, 2, 3]) slice(partition, 4, number)
    expect(partition.memory.release).toBeDefined()
    // An earlier owner still writes.
    slice(partition, 2, 0)
    slice(partition, 2, 1)
    expect(partition.memory.release).toBeUndefined()
  })

  test('touches each released account once, though nothing is due', () => {
    const partition = new Partition()
    partition.signal(THEN, true)
    expect(partition.accounts.get('acme')!.dueAt).toBe(Number.POSITIVE_INFINITY)
    partition.append({ type: 'live', slices: 1 })
    expect([...slice(partition, 1, 0).touched]).toHaveLength(1)
    expect(partition.accounts.get('acme')!.historyOffset).toBe(-1)
    expect([...slice(partition, 1, 0).touched]).toHaveLength(0)
  })
})

describe('a record that was applied', () => {
  test('changes nothing when it is folded again', () => {
    const partition = new Partition()
    partition.models(NOW)
    const entry: LogEntry = {
      type: 'signal',
      offset: 7,
      timestamp: NOW,
      history: false,
      signal: {
        id: 's',
        kind: 'usage',
        name: 'n',
        accountId: 'acme',
        userId: 'u',
        quantityThousandths: 1000,
        properties: {},
        occurredAt: NOW,
      },
    }
    expect(foldBatch([entry], partition.memory, partition.accounts).touched.size).toBe(1)
    const again = foldBatch(
      [{ ...entry, signal: { ...entry.signal, id: 'other' } }],
      partition.memory,
      partition.accounts,
    )
    expect(again.touched.size).toBe(0)
    expect(partition.accounts.get('acme')!.activity.series.get('usage:n')!.days.count(0)).toBe(1)
  })
})

test('a new account is in the lowest tier, silently', () => {
  const partition = new Partition()
  partition.models(NOW)
  expect(partition.signal(NOW, false).events).toEqual([])
  expect(partition.accounts.get('acme')!.standings[0]!.tier).toBe(0)
})

test('the same models appended twice change nothing the second time', () => {
  const partition = new Partition()
  partition.models(NOW)
  partition.signal(NOW, false)
  partition.models(NOW + 1)
  expect(partition.tick(NOW + 1, 'wall', 'all').events).toEqual([])
  expect(partition.memory.modelSets).toHaveLength(1)
})
