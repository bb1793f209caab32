import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import type { Account } from '../../src/scoring/account.ts'
import { createPartitionMemory, foldBatch, type LogEntry } from '../../src/scoring/fold.ts'
import type { Signal } from '../../src/signals/signal.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const THEN = Date.parse('2013-05-01T12:00:00Z')
const DAY_MS = 86_400_000
const [model] = new ModelLibrary().compileAll([
  { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') },
])

/** A partition to which records are appended one by one. */
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

  signal(timestamp: number, history: boolean, id = `s-${this.#offset}`) {
    const signal: Signal = {
      id,
      kind: 'usage',
      name: 'n',
      accountId: 'acme',
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
    return this.accounts.get('acme')!.activity.clock
  }
}

describe('while history is loaded', () => {
  test('the wall clock does not pass', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, true)
    partition.tick(NOW, 'wall')
    expect(partition.clock).toBe(THEN)
    expect(partition.signal(THEN + DAY_MS, true).outcomes.applied).toBe(1)
  })

  test('other models switch each account at its own clock', () => {
    const partition = new Partition()
    partition.signal(THEN, true)
    partition.models(NOW)
    partition.tick(NOW, 'wall', 'all')
    expect(partition.clock).toBe(THEN)
    expect(partition.accounts.get('acme')!.standings).toHaveLength(1)
    expect(partition.memory.modelSets).toHaveLength(1)
  })

  test('time passes by its own events', () => {
    const partition = new Partition()
    partition.models(NOW)
    partition.signal(THEN, true)
    partition.tick(THEN + 60 * DAY_MS, 'event')
    expect(partition.clock).toBe(Date.parse('2013-05-31T00:00:00Z'))
  })

  test('a live record, or a live signal, lets the wall clock pass again', () => {
    for (const goLive of [
      (partition: Partition) => partition.append({ type: 'live' }),
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

test('models that are appended twice change nothing the second time', () => {
  const partition = new Partition()
  partition.models(NOW)
  partition.signal(NOW, false)
  partition.models(NOW + 1)
  expect(partition.tick(NOW + 1, 'wall', 'all').events).toEqual([])
  expect(partition.memory.modelSets).toHaveLength(1)
})
