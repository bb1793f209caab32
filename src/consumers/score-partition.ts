import { UpswellError } from '../errors.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import { decodePartitionMemory } from '../models/partition-memory.ts'
import type { SignalOutcome } from '../scoring/account.ts'
import { type FoldResult, foldBatch, type LogEntry, type PartitionMemory } from '../scoring/fold.ts'
import type { ScoringEvent } from '../scoring/outputs.ts'
import type { AccountStore } from '../store/store.ts'
import { AccountCache } from './account-cache.ts'
import type { Backend } from './backend.ts'
import {
  compareTouched,
  keepAccounts,
  loadAccounts,
  partitionWrite,
  type TouchedAccount,
} from './loaded-accounts.ts'
import type { LogRecord, OutgoingRecord, PartitionSession } from './log.ts'
import { decodeRecord, isTick } from './log-entries.ts'
import type { Logger } from './logger.ts'
import { accountScoresRecord, deadLetterRecord, eventRecord } from './outputs.ts'
import type { TopicNames } from './topics.ts'

export interface ScoreOptions {
  readonly backend: Backend
  readonly topics: TopicNames
  readonly library: ModelLibrary
  readonly logger: Logger
  readonly onScored: (batch: BatchReport) => void
}

/** What a batch did, for metrics and for those who watch. */
export interface BatchReport {
  readonly records: number
  readonly outcomes: Readonly<Record<SignalOutcome, number>>
  readonly rejected: number
  readonly events: readonly ScoringEvent[]
  /** The records were already committed; their outputs were not sent again. */
  readonly refolded: boolean
}

/** A partition that this process owns, for the length of one session. */
export interface OwnedPartition {
  readonly session: PartitionSession
  readonly owner: string
  readonly memory: PartitionMemory
  readonly cache: AccountCache
  /** The offset of the first record that is not in the store. */
  watermark: number
}

/**
 * Makes the partition ours in the store, and finds where to go on. The log's owner is fenced already, so the committed offset C is final.
 * R is the store's watermark. R < C: the process died between the transaction and the store's write, or the store was lost; R … C is folded again without outputs.
 * R > C: an operator moved the group back; what is below R is in the state, and is passed over.
 */
export async function takePartition(
  { backend, library, logger }: ScoreOptions,
  session: PartitionSession,
  owner: string,
): Promise<OwnedPartition> {
  const { partition, committedOffset, endOffset, topic } = session
  const stored = await backend.store.fence(partition, owner)
  if (stored.watermark > endOffset) {
    logger.error(
      `${topic} partition ${partition} ends at offset ${endOffset}, but the store holds records up to ${stored.watermark}: the topic was made anew or cut. ` +
        `Records below ${stored.watermark} will be passed over as known. Empty the store (it is rebuilt from the log), or use another namespace.`,
    )
  } else if (stored.watermark < committedOffset) {
    logger.info(
      `${topic} partition ${partition}: the store is at ${stored.watermark}, ${committedOffset - stored.watermark} records are folded again`,
    )
  } else if (stored.watermark > committedOffset) {
    logger.warn(
      `${topic} partition ${partition}: the group was moved back to ${committedOffset}; records below ${stored.watermark} are counted already and are passed over`,
    )
  }
  return {
    session,
    owner,
    memory: decodePartitionMemory(stored.state, library),
    cache: new AccountCache(),
    watermark: stored.watermark,
  }
}

/** Where a session begins to read. */
export function startOffset({ session, watermark }: OwnedPartition): number {
  return Math.min(session.committedOffset, watermark)
}

/** One batch, from the log to the store. */
export async function scoreRecords(
  options: ScoreOptions,
  owned: OwnedPartition,
  records: readonly LogRecord[],
): Promise<void> {
  for (const step of cutIntoSteps(records, owned)) {
    if (step.treatment === 'known') await owned.session.commit([], step.records.at(-1)!.offset + 1)
    else await scoreStep(options, owned, step)
  }
}

/** Records that are made to last together. `known`: they are in the store. `again`: they were committed, but are not in the store. */
interface Step {
  readonly treatment: 'known' | 'again' | 'new'
  readonly records: LogRecord[]
}

/** Cuts where the treatment changes. A tick stands alone: with the accounts that it makes due it is a batch of its own. */
function cutIntoSteps(records: readonly LogRecord[], { session, watermark }: OwnedPartition): Step[] {
  const steps: Step[] = []
  let alone = false
  for (const record of records) {
    const treatment =
      record.offset < watermark ? 'known' : record.offset < session.committedOffset ? 'again' : 'new'
    const last = steps.at(-1)
    const tick = isTick(record)
    if (last === undefined || last.treatment !== treatment || alone || tick)
      steps.push({ treatment, records: [record] })
    else last.records.push(record)
    alone = tick
  }
  return steps
}

/** Decode → load → fold → commit and save. The waits are before and after the fold, which is pure and cannot be interrupted. */
async function scoreStep(
  options: ScoreOptions,
  owned: OwnedPartition,
  { treatment, records }: Step,
): Promise<void> {
  const { backend, topics, library } = options
  const { session, owner, memory, watermark } = owned
  const { entries, rejected } = decodeAll(records, library, topics)
  const loaded = await loadAccounts(backend.store, owned.cache, session.partition, entries, memory)

  if (loaded.askedStore) await checkStore(backend.store, session.partition, watermark)

  const folded = foldBatch(entries, memory, loaded.accounts)
  const touched = compareTouched(folded.touched, loaded, owned.cache)

  const nextOffset = records.at(-1)!.offset + 1
  const write = partitionWrite(touched, folded.counts, {
    owner,
    expectedWatermark: watermark,
    watermark: nextOffset,
    memory: folded.memoryChanged ? memory : undefined,
    library,
  })
  if (treatment === 'new') {
    const outputs = [...rejected, ...outputsOf(folded, touched, topics, session.partition)]
    await backend.commitBatch(session, { outputs, nextOffset, write })
  } else {
    await backend.store.save(session.partition, write)
  }
  owned.watermark = nextOffset
  keepAccounts(owned.cache, loaded, touched, write.accounts)
  options.onScored({
    records: records.length,
    outcomes: folded.outcomes,
    rejected: rejected.length,
    events: folded.events.map(({ event }) => event),
    refolded: treatment === 'again',
  })
}

/**
 * The transaction goes before the store's write, so what an emptied or rolled back store answered must not decide outputs. Asked behind the last
 * read: had the store lost anything before it, its watermark would be another.
 * @throws UpswellError STORE_MOVED
 */
async function checkStore(store: AccountStore, partition: number, watermark: number): Promise<void> {
  const found = (await store.readPartition(partition)).watermark
  if (found === watermark) return
  throw new UpswellError(
    'STORE_MOVED',
    `the store's partition ${partition} stands at ${found}, not at ${watermark}: it was emptied or rolled back`,
  )
}

function decodeAll(
  records: readonly LogRecord[],
  library: ModelLibrary,
  topics: TopicNames,
): { entries: LogEntry[]; rejected: OutgoingRecord[] } {
  const entries: LogEntry[] = []
  const rejected: OutgoingRecord[] = []
  for (const record of records) {
    const decoded = decodeRecord(record, library)
    if ('entry' in decoded) entries.push(decoded.entry)
    else rejected.push(deadLetterRecord(topics, record, decoded.rejection))
  }
  return { entries, rejected }
}

function outputsOf(
  folded: FoldResult,
  touched: readonly TouchedAccount[],
  topics: TopicNames,
  partition: number,
): OutgoingRecord[] {
  const outputs = folded.events.map(({ offset, event }) =>
    eventRecord(topics, event, `${partition}:${offset}`),
  )
  for (const { account, isMoved } of touched) {
    if (isMoved) outputs.push(accountScoresRecord(topics, account, `${partition}:${account.lastOffset}`))
  }
  return outputs
}
