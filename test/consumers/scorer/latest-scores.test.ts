import { expect, test } from 'vitest'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import { accountScoresRecord } from '../../../src/log/account-scores-record.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { decodeAccount } from '../../../src/scoring/codec/codec.ts'
import type { PartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import type { PartitionWrite } from '../../../src/store/store.ts'
import { DAY_MS, modelsAt, NOW, onePartition, signal, signalAt, tickAt } from '../../support/one-partition.ts'

const topics = topicNames('')
/** The PQL of each active account expires after five days, when its score stays. */
const PQL = `
triggers:
  active:
    motion: usage-upsell
    when: activeDays30 > 0
    cooldown: 30d
    expiry: 5d
    reason: "{activeDays30} active days"
    play: [Ask]
`
const signalLater = (offset: number, of: Signal, at: number) =>
  signalAt(offset, { ...of, occurredAt: at }, at)
const RECORDS: readonly LogRecord[] = [
  modelsAt(0, PQL),
  signalAt(1, signal('a', 'quiet')),
  signalAt(2, signal('b', 'expired')),
  signalAt(3, signal('c', 'busy')),
  signalAt(4, signal('d', 'busy')),
  tickAt(5, 6),
  signalLater(6, signal('e', 'busy'), NOW + 7 * DAY_MS),
  tickAt(7, 31),
  signalLater(8, signal('f', 'late'), NOW + 32 * DAY_MS),
  tickAt(9, 33),
  signalLater(10, signal('g', 'late'), NOW + 34 * DAY_MS),
  tickAt(11, 40),
]
const ACCOUNTS = ['quiet', 'expired', 'busy', 'late']

/** With the first step of a session, and then when a test asks for it. */
const seldom = () => new FlushSchedule({ intervalMs: Number.POSITIVE_INFINITY, now: () => 0 })

/** A partition whose store can lose its newest writes, as a replica does that takes over. */
function rollingBack() {
  const { store, committed, positions, take } = onePartition()
  const writes: PartitionWrite[] = []
  const save = store.save.bind(store)
  store.save = async (partition, write) => {
    await save(partition, write)
    writes.push(write)
  }
  const rollBackTo = async (kept: number): Promise<void> => {
    store.empty()
    await store.fence(0, 'token')
    writes.splice(kept)
    for (const write of writes) await save(0, write)
  }
  const takeAgain = (parts?: Parameters<typeof take>[0]) => take(parts, positions.at(-1))
  const published = () => {
    const last = new Map(
      committed
        .flat()
        .filter(({ topic }) => topic === topics['account-scores'])
        .map(({ key, value }) => [String(key), scoresOf(value)]),
    )
    return ACCOUNTS.flatMap(id => (last.has(id) ? [[id, last.get(id)]] : []))
  }
  const stored = async ({ modelSets }: PartitionMemory) => {
    const found = await store.load(0, ACCOUNTS)
    return ACCOUNTS.flatMap((id, i) => {
      if (found[i] === undefined) return []
      const { value } = accountScoresRecord(topics, decodeAccount(id, found[i], modelSets), '')
      return [[id, scoresOf(value)]]
    })
  }
  return { writes, rollBackTo, takeAgain, published, stored }
}

/** Without the id and the time: an account may be touched and stay as it is. */
function scoresOf(value: string | Buffer | null): unknown {
  return JSON.parse(String(value)).scores
}

test('the last scores of each account are those of the store, also if only a PQL ended', async () => {
  const { takeAgain, published, stored } = rollingBack()
  const scorer = await takeAgain()
  for (const record of RECORDS) {
    await scorer.score([record])
    expect(published()).toEqual(await stored(scorer.memory))
  }
})

test.each([
  ['with each step', {}],
  ['at the end', { flushes: seldom() }],
])(
  'so they are after the store lost any of its writes under a scorer, refolded and flushed %s',
  async (_, parts) => {
    for (let kept = 0; kept <= 11; kept++) {
      const { writes, rollBackTo, takeAgain, published, stored } = rollingBack()
      const scorer = await takeAgain()
      for (const record of RECORDS.slice(0, 11)) await scorer.score([record])
      expect(writes).toHaveLength(11)
      await rollBackTo(kept)
      const going = scorer.score(RECORDS.slice(11))
      if (kept === 11) await going
      else await expect(going).rejects.toMatchObject({ code: 'STORE_MOVED' })
      const next = await takeAgain(parts)
      expect(next.offsets.stored).toBe(writes.length)
      await next.score(RECORDS.slice(next.offsets.start))
      await next.flush()
      expect(published()).toEqual(await stored(next.memory))
    }
  },
)

test('so they are when a score left and came back between two flushes', async () => {
  const { takeAgain, published, stored } = rollingBack()
  const first = await takeAgain()
  await first.score([modelsAt(0)])
  for (const [i, id] of ACCOUNTS.entries()) await first.score([signalAt(1 + i, signal('a', id))])
  await first.score([tickAt(5, 31)])
  const before = published()
  const next = await takeAgain({ flushes: seldom() })
  await next.score([signalAt(6, signal('c', 'busy'))])
  await next.score([signalLater(7, signal('b', 'quiet'), NOW + 32 * DAY_MS), tickAt(8, 63)])
  await next.flush()
  expect(published()).toEqual(await stored(next.memory))
  expect(published()).not.toEqual(before)
})
