import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeItem, isHead } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import {
  type Checkpoint,
  findCheckpoint,
  readCheckpoint,
} from '../../../src/consumers/checkpoints/read-checkpoint.ts'
import type { Log } from '../../../src/log/log.ts'
import { eventRecord } from '../../../src/log/output-records.ts'
import { lastOffsetIn } from '../../../src/scoring/codec/codec.ts'
import { EVENT_TOPICS } from '../../support/event-topics.ts'
import { arbitraryBatches } from '../../support/histories.ts'
import { LibraryOfDefinitions } from '../../support/library-of-definitions.ts'
import { foldPlainly } from '../../support/simulation/plain-fold.ts'
import { CheckpointRun, outgoingHistory, TOPIC, TOPICS } from './checkpoint-run.ts'

const RUNS = 60
const NOTHING_REMEMBERED = JSON.stringify({ version: 2, liveOffset: -1, modelSets: [] })

type Mishap = 'none' | 'restart' | 'before-commit' | 'before-save' | 'empty' | 'compact'
const arbitraryMishaps = fc.array(
  fc.record({
    what: fc.constantFrom<Mishap>(
      'none',
      'none',
      'restart',
      'before-commit',
      'before-save',
      'empty',
      'compact',
    ),
    /** How far compaction comes, as a share of the records. */
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { minLength: 9, maxLength: 9 },
)

/**
 * Compares the newest complete checkpoint, if it is a new one, with the fold of all records before its cut.
 * Returns it.
 */
async function checkNewest(
  run: CheckpointRun<LibraryOfDefinitions>,
  seen: Checkpoint | undefined,
): Promise<Checkpoint | undefined> {
  const found = await findCheckpoint(run.log as unknown as Log, TOPIC, 0)
  if (found === undefined || found.headOffset === seen?.headOffset) return found
  const before = run.signals().filter(({ offset }) => offset < found.cut)
  const { contents } = foldPlainly(before, run.library, 1)
  const expected = new Map<string, string>()
  for (const [key, text] of contents) {
    if (key.startsWith('account ')) expected.set(key, text.split(' ')[1]!)
    if (key.startsWith('users ') || key.startsWith('counter kpi:')) expected.set(key, text)
  }
  const shown = new Map<string, string>()
  for await (const item of readCheckpoint(run.log as unknown as Log, found, 4)) {
    const key =
      item.type === 'account' ? `account ${item.accountId}` : `users ${item.accountId} ${item.chunk}`
    expect(shown.has(key)).toBe(false)
    shown.set(key, item.bytes.toString('hex'))
  }
  expect(found.accounts).toBe([...shown.keys()].filter(key => key.startsWith('account ')).length)
  for (const { book, field, delta } of found.counters) shown.set(`counter ${book} ${field}`, String(delta))
  expect(new Map([...shown].sort())).toEqual(new Map([...expected].sort()))
  expect(found.state).toBe(contents.get('state') ?? NOTHING_REMEMBERED)
  return found
}

/**
 * From a session's second checkpoint on: each account that changed since the last one is in it once, and no
 * other.
 */
function checkOnlyChanged(
  run: CheckpointRun<LibraryOfDefinitions>,
  previous: Checkpoint,
  next: Checkpoint,
): number {
  const { contents } = foldPlainly(
    run.signals().filter(({ offset }) => offset < next.cut),
    run.library,
    1,
  )
  const changed = [...contents]
    .filter(([key]) => key.startsWith('account '))
    .map(([key, text]) => [key.slice(8), Buffer.from(text.split(' ')[1]!, 'hex')] as const)
    .filter(([id, bytes]) => lastOffsetIn(id, bytes) >= previous.cut)
    .map(([id]) => id)
  const between = run.log
    .records(TOPIC)
    .filter(({ offset }) => offset > previous.headOffset && offset < next.headOffset)
  // Around a tick one call makes several batches.
  if (between.some(isHead)) return 0
  const written = between.flatMap(record => decodeItem(record) ?? [])
  const writtenIds = written.filter(({ type }) => type === 'account').map(({ accountId }) => accountId)
  expect(writtenIds.sort()).toEqual(changed.sort())
  for (const { accountId } of written) expect(changed).toContain(accountId)
  return changed.length
}

test('a checkpoint holds the store at its cut, the next one the changes, and they restore an emptied store byte for byte', async () => {
  const met = { checkpoints: 0, incremental: 0, restored: 0, folded: 0 }
  await fc.assert(
    fc.asyncProperty(
      arbitraryBatches({ accounts: 7, length: 70 }),
      arbitraryMishaps,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 12 }),
      async (batches, mishaps, accountsPerBatch, batchSize) => {
        const run = new CheckpointRun(new LibraryOfDefinitions(), { intervalMs: 0, accountsPerBatch })
        let newest: Checkpoint | undefined
        let isOfOwner = 0
        let isCompacted = false
        const look = async (): Promise<void> => {
          const found = await checkNewest(run, newest)
          if (found !== undefined && found.headOffset !== newest?.headOffset) {
            met.checkpoints++
            if (newest !== undefined && isOfOwner === run.taken && !isCompacted)
              met.incremental += Math.sign(checkOnlyChanged(run, newest, found))
            newest = found
            isOfOwner = run.taken
            isCompacted = false
          }
        }
        for (const [i, batch] of batches.entries()) {
          await run.log.append(outgoingHistory(run.library, batch))
          const { what, part } = mishaps[i]!
          if (what === 'before-commit' || what === 'before-save') await run.dieWithNextBatch(what, batchSize)
          await run.score(batchSize, look)
          if (what === 'restart') run.scorer = undefined
          if (what === 'empty') {
            run.store.empty()
            run.scorer = undefined
          }
          if (what === 'compact') {
            run.log.compact(TOPIC, Math.ceil(part * run.log.end(TOPIC)))
            isCompacted = true
          }
        }
        await run.score(batchSize, look)
        const { contents, events } = foldPlainly(run.signals(), run.library, 1)
        expect(sorted(run.store.contents())).toEqual(sorted(contents))

        run.store.empty()
        run.scorer = undefined
        run.lines.length = 0
        await run.score(batchSize)
        expect(sorted(run.store.contents())).toEqual(sorted(contents))
        const isRestored = run.lines.some(line => line.includes('are in the store again'))
        expect(isRestored).toBe(newest !== undefined && (await isUsable(run, newest)))
        met.restored += Number(isRestored)
        met.folded += Number(!isRestored)

        run.store.empty()
        await run.rebuildFromLog()
        expect(sorted(run.store.contents())).toEqual(sorted(contents))

        const eventTopics = new Set(EVENT_TOPICS.map(topic => TOPICS[topic]))
        const published = run.published.filter(({ topic }) => eventTopics.has(topic))
        expect(published.map(({ value }) => String(value))).toEqual(
          events.map(({ offset, event }) => String(eventRecord(TOPICS, event, `0:${offset}`).value)),
        )
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
  expect(met.checkpoints).toBeGreaterThan(RUNS)
  expect(met.incremental).toBeGreaterThan(RUNS / 2)
  expect(met.restored).toBeGreaterThan(RUNS / 2)
}, 120_000)

/** Compaction may have removed items that it needs, in favour of an unfinished checkpoint after it. */
async function isUsable(run: CheckpointRun<LibraryOfDefinitions>, checkpoint: Checkpoint): Promise<boolean> {
  if (checkpoint.cut === 0) return false
  let accounts = 0
  for await (const { type } of readCheckpoint(run.log as unknown as Log, checkpoint, 4))
    if (type === 'account') accounts++
  return accounts === checkpoint.accounts
}

function sorted(contents: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...contents].sort(([a], [b]) => (a < b ? -1 : 1)))
}
