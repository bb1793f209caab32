import { beforeEach, describe, expect, test } from 'vitest'
import { FlushSchedule } from '../../../src/consumers/scorer/flush/flush-policy.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { signalRecord } from '../../../src/log/signals-topic-records.ts'
import { LibraryOfDefinitions } from '../../support/library-of-definitions.ts'
import { at, facts, model, models, pointsOf, SEATS, tick } from '../../support/small-histories.ts'
import { CheckpointRun, outgoingHistory, TOPICS } from './checkpoint-run.ts'

const SCORES_SEATS = model({
  features: [SEATS],
  groups: [{ name: 'all', title: 'All', weight: 1, max: 100, rules: [pointsOf('seats')] }],
})
const BATCH = 100

/** The first step is flushed, and others only when a test says so. */
function seldom(): FlushSchedule {
  return new FlushSchedule({ intervalMs: 60_000, now: () => 1 })
}

/** Scores are published with each flush, and a flush holds everything that `score` folds. */
class Run extends CheckpointRun<LibraryOfDefinitions> {
  constructor() {
    super(new LibraryOfDefinitions(), { intervalMs: 1000, accountsPerBatch: 100 })
  }

  async begin(): Promise<void> {
    await this.log.append(outgoingHistory(this.library, [models(at(0), SCORES_SEATS)]))
    await this.fold()
  }

  /** Sends one record for each number of seats of the account. */
  async send(accountId: string, ...seats: number[]): Promise<void> {
    for (const count of seats) {
      const time = at(1) + this.log.end(TOPICS.signals)
      const { signal } = facts(time, { seats: count }, { accountId })
      await this.log.append([signalRecord(TOPICS.signals, signal, time)])
    }
  }

  async fold(): Promise<void> {
    await this.take({ flushes: seldom() })
    await this.score(BATCH)
    await this.scorer!.flush()
  }

  async completeCheckpoint(): Promise<void> {
    await this.fold()
    this.now += 1000
    while (this.scorer!.isCheckpointWaiting) {
      await this.log.append(outgoingHistory(this.library, [tick(0)]))
      await this.fold()
    }
  }

  /** The seats that the newest record of account-scores shows. */
  latest(accountId: string): number | undefined {
    const last = this.published.findLast(
      ({ topic, key }) => topic === TOPICS['account-scores'] && key === accountId,
    )
    return last === undefined ? undefined : JSON.parse(String(last.value)).scores[0].score
  }

  /** The accounts of all records of account-scores. */
  scores(): string[] {
    return this.published.filter(({ topic }) => topic === TOPICS['account-scores']).map(({ key }) => `${key}`)
  }
}

describe('after the group was moved back', () => {
  let run: Run

  beforeEach(async () => {
    run = new Run()
    await run.begin()
  })

  /** Account a has 5 seats in the checkpoint, 7 in its last published record, and 5 in the log. */
  async function checkpointAndMore(): Promise<{ readonly checkpointed: number }> {
    await run.send('a', 5)
    await run.send('b', 1)
    await run.completeCheckpoint()
    const checkpointed = run.committedOffset
    await run.send('a', 7)
    await run.fold()
    expect(run.latest('a')).toBe(7)
    await run.send('a', 5)
    return { checkpointed }
  }

  test('an account of a store that was restored is published as it is', async () => {
    const { checkpointed } = await checkpointAndMore()
    run.moveGroup(checkpointed)
    run.store.empty()
    await run.fold()
    expect(run.lines.join()).toMatch(/2 accounts as of offset \d+ are in the store again/)
    expect([run.latest('a'), run.latest('b')]).toEqual([5, 1])
  })

  test('an account of a store that was filled from the log is published as it is', async () => {
    await checkpointAndMore()
    run.moveGroup(2)
    run.store.empty()
    await run.fold()
    expect([run.latest('a'), run.latest('b')]).toEqual([5, 1])
  })

  /** The store lost the last write, with the 7 seats that are published. */
  async function loseLastWrite(): Promise<void> {
    await run.send('a', 5)
    await run.fold()
    run.scorer = undefined
    await run.send('a', 7)
    await run.dieWithNextBatch('before-save', BATCH)
    expect(run.latest('a')).toBe(7)
    await run.send('a', 5)
  }

  test('an account of a store that is behind is published as it is', async () => {
    await loseLastWrite()
    run.moveGroup(2)
    await run.fold()
    expect(run.latest('a')).toBe(5)
  })

  test('so it is by a later owner, if the first one dies on the way', async () => {
    await loseLastWrite()
    run.moveGroup(2)
    await run.send('b', 1)
    await run.take({ flushes: seldom() })
    // One flush before the account's records, then nothing but commits.
    await run.scorer!.score(run.signals().slice(0, 1))
    await run.send('c', 9)
    const { offset } = run.signals().at(-1)!
    run.scorer = undefined
    expect(run.committedMetadata).toMatch(/^scores=\d+ uncertain=\d+$/)
    await run.fold()
    expect([run.latest('a'), run.committedOffset]).toEqual([5, offset + 1])
  })

  test('an account that a checkpoint beyond the published scores holds is published', async () => {
    await run.send('b', 1, 3)
    await run.completeCheckpoint()
    const checkpointed = run.committedOffset
    await run.send('a', 5)
    run.moveGroup(2)
    run.store.empty()
    // The checkpoint is ahead of the group, so the log is folded. The scores of its beginning are published.
    await run.take({ flushes: seldom() })
    expect(run.lines.join()).toMatch(/The checkpoint is not used/)
    const isFirst = ({ offset }: LogRecord) => offset < checkpointed - 2
    await run.scorer!.score(run.signals().filter(isFirst))
    await run.scorer!.flush()
    expect(run.latest('b')).toBe(1)
    await run.scorer!.score(run.signals().filter(record => !isFirst(record)))
    expect(run.committedOffset).toBeGreaterThan(checkpointed)
    run.scorer = undefined
    run.store.empty()
    await run.fold()
    expect(run.lines.join()).toMatch(/1 accounts as of offset \d+ are in the store again/)
    expect([run.latest('a'), run.latest('b')]).toEqual([5, 3])
  })

  test('an account that no record touched is published once, and none with other accounts', async () => {
    const { checkpointed } = await checkpointAndMore()
    run.moveGroup(checkpointed)
    const before = run.scores().length
    await run.fold()
    await run.send('b', 1)
    await run.fold()
    expect(run.scores().slice(before)).toEqual(['a'])
  })
})

test('nothing is published again if the commits say how far scores are published', async () => {
  const run = new Run()
  await run.begin()
  await run.send('a', 5)
  await run.send('b', 1)
  await run.completeCheckpoint()
  await run.send('a', 5)
  await run.fold()
  const before = run.scores().length
  for (const isEmptied of [true, false]) {
    if (isEmptied) run.store.empty()
    run.scorer = undefined
    await run.fold()
  }
  expect(run.scores()).toHaveLength(before)
})
