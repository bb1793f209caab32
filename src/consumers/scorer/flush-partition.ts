import { createTurns } from '../../lib/turns.ts'
import { accountScoresRecord } from '../../log/account-scores-record.ts'
import type { OutgoingRecord } from '../../log/log.ts'
import { publishedMetadata } from '../../log/published-offset.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import type { PartitionWrite } from '../../store/store.ts'
import { outputTopics } from '../lineage/lineage.ts'
import { checkStore } from './check-store.ts'
import { compareAccount, keepSaved, type TouchedAccount, WriteBuilder } from './loaded-accounts.ts'
import type { ScoreOptions } from './score-partition.ts'
import type { OwnedPartition } from './take-partition.ts'
import { Unsaved } from './unsaved.ts'

/** What a write of the store may take; more is written before its time. */
const MOST_UNSAVED = 10_000
const MOST_UNSAVED_BYTES = 16 * 1024 * 1024
/** Of the users of large accounts: each signal of theirs may load another one, and what is loaded stays until it is written. */
const MOST_UNSAVED_CHUNKS = 10_000
/** While what was there at the beginning is being caught up with, nobody waits for the newest scores: those in between are worth less than the work. */
const CATCHING_UP_MS = 5_000
/** After so many a write waits for no other any more. */
const MOST_INTERVALS = 2

/** Whether it is time to write what was folded since. */
export function isFlushDue(options: ScoreOptions, owned: OwnedPartition): boolean {
  const { flush } = options
  if (owned.position <= owned.storedOffset) return false
  const { accounts, sizeBytes, loadedChunks } = owned.unsaved
  if (flush === undefined || accounts.size >= MOST_UNSAVED) return true
  if (sizeBytes >= MOST_UNSAVED_BYTES || loadedChunks >= MOST_UNSAVED_CHUNKS) return true
  const now = flush.now()
  // What ends the log may be no record: when none comes any more, the end is reached.
  const isCatchingUp =
    owned.position < owned.session.endOffset && Math.abs(now - owned.scoredAt) < flush.intervalMs
  const intervalMs = Math.max(flush.intervalMs, isCatchingUp ? CATCHING_UP_MS : 0)
  // Also if the clock was set back.
  const passedMs = Math.abs(now - owned.flushedAt)
  if (passedMs < intervalMs) return false
  // One after the other, since side by side each of them would take as long as all; but one that hangs holds up the others for so long only.
  return options.writes?.isUnderWay !== true || passedMs >= MOST_INTERVALS * intervalMs
}

/**
 * Publishes the scores of the accounts that changed, with `outputs` before them, and writes the store: memory and store are the same then. What was published before
 * a crash is only written. While what was committed is being folded again, the committed offset stays where it is.
 * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, STORE_FENCED, STORE_MOVED, STORE_UNAVAILABLE; what is in memory is of no use any more
 */
export async function flushPartition(
  options: ScoreOptions,
  owned: OwnedPartition,
  outputs: readonly OutgoingRecord[] = [],
): Promise<void> {
  const flush = (): Promise<void> => flushNow(options, owned, outputs)
  await (options.writes === undefined ? flush() : options.writes.during(flush))
}

async function flushNow(
  options: ScoreOptions,
  owned: OwnedPartition,
  outputs: readonly OutgoingRecord[],
): Promise<void> {
  const { backend, library, flush } = options
  const { commits, session, memory, cache, unsaved, position, storedOffset } = owned
  const { partition } = session
  const publishes = position > owned.published
  if (position <= storedOffset) return
  owned.flushedAt = flush?.now() ?? 0
  const { touched, write } = await prepareWrite(owned, library)
  // The store may never be ahead of what is committed.
  await commits.settle()
  if (publishes) {
    const checkpoint = await checkpointRecords(options, owned, touched)
    const topics = options.lineage === undefined ? options.topics : outputTopics(options.lineage, memory)
    const scores: OutgoingRecord[] = []
    for (const { account, changes } of touched) {
      if (changes.isMoved || unsaved.toldOf.has(account))
        scores.push(accountScoresRecord(topics, account, `${partition}:${account.lastOffset}`))
    }
    await backend.commitBatch(session, {
      outputs: [...checkpoint, ...outputs, ...scores],
      nextOffset: Math.max(position, session.committedOffset),
      metadata: publishedMetadata(position),
      write,
    })
  } else {
    await backend.store.save(partition, write)
  }
  owned.storedOffset = position
  owned.published = Math.max(owned.published, position)
  owned.savedMemory = { ...memory }
  owned.unsaved = new Unsaved()
  keepSaved(cache, touched, write.accounts)
}

/** So many take some 10 ms. With fewer a write takes long where all partitions are busy: in each turn of theirs they fold as much as that. */
const ACCOUNTS_PER_TURN = 500

/** Compares and encodes what is to be written; other partitions get their turn meanwhile. */
async function prepareWrite(
  { fencingToken, memory, cache, unsaved, position, storedOffset }: OwnedPartition,
  library: ModelLibrary,
): Promise<{ readonly touched: readonly TouchedAccount[]; readonly write: PartitionWrite }> {
  const turns = createTurns(ACCOUNTS_PER_TURN)
  const touched: TouchedAccount[] = []
  await turns.each(unsaved.accounts, account => touched.push(compareAccount(account, cache)))
  const builder = new WriteBuilder(cache.writer)
  let next = 1
  await turns.each(touched, account => builder.add(account, touched[next++]))
  const write = builder.build(unsaved.counts, {
    fencingToken,
    expectedStoredOffset: storedOffset,
    storedOffset: position,
    memory: unsaved.memoryChanged ? memory : undefined,
    library,
  })
  return { touched, write }
}

/** A checkpoint shows the store as it is before this write. None is begun while what was committed is folded again: it would be of less than the last one. */
async function checkpointRecords(
  { backend }: ScoreOptions,
  {
    checkpoints,
    position,
    savedMemory,
    session: { committedOffset, partition },
    storedOffset,
  }: OwnedPartition,
  touched: readonly TouchedAccount[],
): Promise<OutgoingRecord[]> {
  if (checkpoints === undefined || position < committedOffset) return []
  const next = await checkpoints.next({ partition, memory: savedMemory, storedOffset })
  const overtaken = await checkpoints.overtaken(partition, touched)
  const records = [...next, ...overtaken]
  if (records.length > 0) await checkStore(backend.store, partition, storedOffset)
  return records
}
