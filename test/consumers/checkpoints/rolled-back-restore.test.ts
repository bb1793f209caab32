import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../../src/app/config.ts'
import { restorePartition } from '../../../src/consumers/checkpoints/restore-partition.ts'
import type { UpswellError } from '../../../src/lib/errors.ts'
import type { Log } from '../../../src/log/log.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import type { AccountStore } from '../../../src/store/store.ts'
import { account, write } from '../../contract/store/store-fixtures.ts'
import { JournaledStore, type StoreContents } from '../../support/simulation/journaled-store.ts'
import { CheckpointRun, TOPIC, TOPICS } from './checkpoint-run.ts'

const NOW = Date.parse('2026-01-05T10:00:00Z')
const SOURCE = { file: 'rolling', text: readFileSync(join(PACKAGE_ROOT, 'bench/rolling-score.yaml'), 'utf8') }
/** With a user chunk each: a filling has a part with accounts, one with both, one with chunks alone. */
const ACCOUNTS = 600
/** Two steps of clearing, and four parts; the last part sets the stored offset. */
const CALLS = 6
/** Enough to lose the fence, too. */
const MOST_LOST = 12

const run = new CheckpointRun(new ModelLibrary(), { intervalMs: 1000, accountsPerBatch: ACCOUNTS })

beforeAll(async () => {
  const signals = Array.from({ length: ACCOUNTS }, (_, i) =>
    signalRecord(
      TOPICS.signals,
      {
        id: `s${i}`,
        kind: 'usage',
        name: 'report.exported',
        accountId: `account-${i}`,
        userId: 'u',
        quantityThousandths: 1000,
        properties: {},
        occurredAt: NOW,
      },
      NOW,
    ),
  )
  await run.log.append([modelsRecord(TOPICS.signals, 0, NOW, [SOURCE]), ...signals])
  await run.score(200)
  run.now += 1000
  const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  await run.log.append([tickRecord(TOPICS.signals, 0, NOW, tick)])
  await run.score(1)
})

test.each<[string, before: (store: LosingStore) => Promise<unknown>]>([
  ['an empty partition', async () => {}],
  [
    'what an earlier owner has filled in part',
    async store => {
      store.diesBeforeCall = CALLS - 1
      await expect(restore(store, 'earlier')).rejects.toThrow('died')
    },
  ],
  [
    'an older state with accounts that the checkpoint lacks',
    async store => {
      await store.fence(0, 'earlier')
      const accounts = ['gone', 'gone too'].map(id => account(id))
      await store.journal.save(0, write({ fencingToken: 'earlier', storedOffset: 1, accounts }))
    },
  ],
])(
  'a restore of %s that loses writes of the store is refused, and the next one is whole',
  async (_, before) => {
    const whole = new LosingStore()
    await restore(whole, 'first')
    const expected = sorted(whole.journal.contents(0))
    expect(whole.calls).toBe(CALLS)
    let refused = 0
    for (let call = 1; call <= CALLS; call++) {
      for (let lost = 1; lost <= MOST_LOST; lost++) {
        const store = new LosingStore()
        await before(store)
        store.loses(lost, call)
        const code = await restore(store, 'first')
        // A partition that is empty again may be filled: nothing of it was lost.
        if (code !== undefined) {
          expect(code).toMatch(/^STORE_(MOVED|FENCED)$/)
          refused++
          await restore(store, 'next')
        }
        expect(sorted(store.journal.contents(0)), `${lost} writes before call ${call}`).toEqual(expected)
      }
    }
    expect(refused).toBeGreaterThan((CALLS * MOST_LOST) / 2)
  },
)

/** Fences the partition and restores it. Returns the code of the error that refused a write. */
async function restore(store: LosingStore, fencingToken: string): Promise<string | undefined> {
  try {
    const { storedOffset } = await store.fence(0, fencingToken)
    const logger = { info: () => {}, warn: () => {}, error: () => {} }
    const log = run.log as unknown as Log
    const options = {
      log,
      store: store as unknown as AccountStore,
      library: run.library,
      publish: async () => {},
      keysAtOnce: Number.POSITIVE_INFINITY,
      logger,
      topic: TOPIC,
    }
    const lost = { partition: 0, fencingToken, storedOffset, committedOffset: run.committedOffset }
    expect(await restorePartition(options, lost)).toMatchObject({ storedOffset: ACCOUNTS + 1 })
    return undefined
  } catch (error) {
    const { code } = error as UpswellError
    if (code === undefined) throw error
    return code
  }
}

/** Loses its newest writes before one of its calls. Clears in two steps. */
class LosingStore implements Pick<AccountStore, 'fence' | 'save' | 'clear'> {
  readonly journal = new JournaledStore(() => {})
  calls = 0
  diesBeforeCall: number | undefined
  #loss: { readonly writes: number; readonly beforeCall: number } | undefined

  loses(writes: number, beforeCall: number): void {
    this.#loss = { writes, beforeCall: this.calls + beforeCall }
  }

  async fence(partition: number, fencingToken: string) {
    return await this.journal.fence(partition, fencingToken)
  }

  async save(...write: Parameters<AccountStore['save']>): Promise<void> {
    this.#begin()
    await this.journal.save(...write)
  }

  async clear(partition: number, fencingToken: string): Promise<void> {
    this.#begin()
    await this.journal.clearInPart(partition, fencingToken)
    this.#begin()
    await this.journal.clear(partition, fencingToken)
  }

  #begin(): void {
    this.calls++
    if (this.calls === this.diesBeforeCall) throw new Error('died')
    if (this.#loss?.beforeCall === this.calls) this.journal.rollBack(this.#loss.writes)
  }
}

function sorted(contents: StoreContents): [string, string][] {
  return [...contents].sort(([a], [b]) => (a < b ? -1 : 1))
}
