import { describe, expect, test } from 'vitest'
import { PendingCommits } from '../../../src/consumers/scorer/pending-commits.ts'
import { type Deferred, deferred } from '../../../src/lib/deferred.ts'
import type { OutgoingRecord, PartitionSession } from '../../../src/log/log.ts'

describe('commits of a partition', () => {
  test('waits for the first commit of a session', async () => {
    const run = new Run()
    const added = run.add(1)
    expect(await isSettled(added)).toBe(false)
    run.answer()
    await added
    expect(run.committed).toEqual(['1 at 1'])
    expect(run.reported).toEqual([1])
  })

  test('lets two batches wait during a commit, and commits them together after it', async () => {
    const run = await Run.begun()
    await run.add(2)
    await run.add(3)
    const fourth = run.add(4)
    expect(await isSettled(fourth)).toBe(false)
    expect(run.asked).toEqual(['1 at 1', '2 at 2'])
    run.answer()
    await fourth
    expect(run.asked).toEqual(['1 at 1', '2 at 2', '3 4 at 4'])
    expect(run.reported).toEqual([1, 2])
    run.answer()
    await run.commits.settle()
    expect(run.committed).toEqual(['1 at 1', '2 at 2', '3 4 at 4'])
    expect(run.reported).toEqual([1, 2, 3, 4])
  })

  test('settles when the waiting batches are committed too', async () => {
    const run = await Run.begun()
    await run.add(2)
    await run.add(3)
    const settled = run.commits.settle()
    run.answer()
    expect(await isSettled(settled)).toBe(false)
    run.answer()
    await settled
    await run.commits.settle()
  })

  test('loses the session, drops waiting batches and accepts no more after a failed commit', async () => {
    const run = await Run.begun()
    await run.add(2)
    await run.add(3)
    const settled = run.commits.settle()
    const error = new Error('fenced')
    run.answer(error)
    await expect(settled).rejects.toBe(error)
    await expect(run.add(4)).rejects.toBe(error)
    await expect(run.commits.settle()).rejects.toBe(error)
    expect(run.lost).toEqual([error])
    expect(run.asked).toEqual(['1 at 1', '2 at 2'])
    expect(run.reported).toEqual([1])
  })

  test('rejects a batch that waits for room if a commit fails', async () => {
    const run = await Run.begun()
    await run.add(2)
    await run.add(3)
    const fourth = run.add(4)
    const error = new Error('fenced')
    run.answer(error)
    await expect(fourth).rejects.toBe(error)
  })

  test('throws a failure of the first commit where it was added', async () => {
    const run = new Run()
    const added = run.add(1)
    const error = new Error('no such topic')
    run.answer(error)
    await expect(added).rejects.toBe(error)
  })
})

/** Batches are numbers: each one's output, and the offset after it. */
class Run {
  /** Begun and finished commits, in order. */
  readonly asked: string[] = []
  readonly committed: string[] = []
  readonly reported: number[] = []
  readonly lost: unknown[] = []
  readonly commits: PendingCommits
  #answers: Deferred[] = []

  constructor() {
    const session = {
      commit: async (records: readonly OutgoingRecord[], nextOffset: number) => {
        const name = `${records.map(({ value }) => value).join(' ')} at ${nextOffset}`
        this.asked.push(name)
        const answer = deferred()
        this.#answers.push(answer)
        await answer.promise
        this.committed.push(name)
      },
      lose: (reason: unknown) => this.lost.push(reason),
    }
    this.commits = new PendingCommits(session as unknown as PartitionSession)
  }

  /** A run whose first commit is done. */
  static async begun(): Promise<Run> {
    const run = new Run()
    const added = run.add(1)
    run.answer()
    await added
    return run
  }

  add(batch: number): Promise<void> {
    return this.commits.add({
      outputs: [{ topic: 'tier-changes', key: null, value: String(batch) }],
      nextOffset: batch,
      metadata: '',
      onCommitted: () => this.reported.push(batch),
    })
  }

  /** Lets the commit under way succeed or fail. */
  answer(error?: Error): void {
    const answer = this.#answers.shift()!
    if (error === undefined) answer.resolve()
    else answer.reject(error)
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  await new Promise(resolve => setImmediate(resolve))
  return settled
}
