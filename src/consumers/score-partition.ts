import { UpswellError } from '../errors.ts'
import type { ModelLibrary } from '../models/model-library.ts'
import type { SignalOutcome } from '../scoring/account.ts'
import { type FoldResult, foldBatch, type LogEntry } from '../scoring/fold.ts'
import type { ScoringEvent } from '../scoring/outputs.ts'
import type { Rejection } from '../scoring/parse-signal.ts'
import type { AccountStore } from '../store/store.ts'
import type { Backend } from './backend.ts'
import type { CheckpointTiming } from './checkpoints/partition-checkpoints.ts'
import {
  compareTouched,
  keepAccounts,
  loadAccounts,
  partitionWrite,
  type TouchedAccount,
} from './loaded-accounts.ts'
import type { LogRecord, OutgoingRecord } from './log.ts'
import { decodeRecord, recordKind } from './log-entries.ts'
import type { Logger } from './logger.ts'
import { accountScoresRecord, deadLetterRecord, eventRecord } from './outputs.ts'
import { awaitOrigin } from './replay/await-origin.ts'
import { type HandedOver, handOverAccounts } from './replay/hand-over.ts'
import { type Line, outputTopics, roleOf } from './replay/line.ts'
import type { OwnedPartition } from './take-partition.ts'
import type { TopicNames } from './topics.ts'

export interface ScoreOptions {
  readonly backend: Backend
  readonly topics: TopicNames
  /** Left out: it serves, and always will. */
  readonly line?: Line
  readonly library: ModelLibrary
  readonly logger: Logger
  /** Left out: an emptied store is made from the log alone. Without `timing` checkpoints are read, and none are written. */
  readonly checkpoints?: { readonly topic: string; readonly timing: CheckpointTiming | undefined }
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

/** These stand alone: a tick is a batch of its own with the accounts that it makes due, and with a promotion it changes what the line does. */
const ALONE = new Set<string | undefined>(['tick', 'promotion'])

/** Cuts where the treatment changes, and around what stands alone. */
function cutIntoSteps(records: readonly LogRecord[], { session, watermark }: OwnedPartition): Step[] {
  const steps: Step[] = []
  let alone = false
  for (const record of records) {
    const treatment =
      record.offset < watermark ? 'known' : record.offset < session.committedOffset ? 'again' : 'new'
    const last = steps.at(-1)
    const standsAlone = ALONE.has(recordKind(record))
    if (last === undefined || last.treatment !== treatment || alone || standsAlone)
      steps.push({ treatment, records: [record] })
    else last.records.push(record)
    alone = standsAlone
  }
  return steps
}

/** Decode → load → fold → commit and save. The waits are before and after the fold, which is pure and cannot be interrupted. */
async function scoreStep(
  options: ScoreOptions,
  owned: OwnedPartition,
  { treatment, records }: Step,
): Promise<void> {
  const { backend, library, line } = options
  const { session, owner, memory, watermark, checkpoints } = owned
  const { partition } = session
  const isNew = treatment === 'new'
  if (isNew && line !== undefined) await awaitOrigin(line, partition, records[0]!)
  const checkpoint =
    isNew && checkpoints !== undefined ? await checkpoints.next({ partition, memory, watermark }) : []
  const isRetired = line !== undefined && roleOf(line, memory) === 'retired'
  const { entries, rejections } = decodeAll(isRetired ? [] : records, library)
  const loaded = await loadAccounts(backend.store, owned.cache, partition, entries, memory)
  const toldOf =
    isNew && line !== undefined
      ? await handOverAccounts(line, partition, memory, loaded.accounts.values(), library)
      : []

  if (loaded.askedStore || checkpoint.length > 0) await checkStore(backend.store, partition, watermark)

  const folded = foldBatch(entries, memory, loaded.accounts)
  // A tick of the wall clock finds accounts due, and leaves them as they are while history is loaded: they are handed over when they are next touched.
  const handedOver = toldOf.filter(({ account }) => folded.touched.has(account))
  const touched = compareTouched(folded.touched, loaded, owned.cache)

  const nextOffset = records.at(-1)!.offset + 1
  const write = partitionWrite(touched, folded.counts, {
    owner,
    expectedWatermark: watermark,
    watermark: nextOffset,
    memory: folded.memoryChanged ? memory : undefined,
    library,
  })
  if (isNew) {
    const overtaken = checkpoints === undefined ? [] : await checkpoints.overtaken(partition, touched)
    if (overtaken.length > 0) await checkStore(backend.store, partition, watermark)
    const topics = line === undefined ? options.topics : outputTopics(line, memory)
    const outputs = [
      ...checkpoint,
      ...overtaken,
      ...rejections.map(({ record, rejection }) => deadLetterRecord(topics, record, rejection)),
      ...handOverRecords(handedOver, topics, `${partition}:${memory.promotion?.offset}`),
      ...outputsOf(folded, touched, handedOver, topics, partition),
    ]
    await backend.commitBatch(session, { outputs, nextOffset, write })
  } else {
    await backend.store.save(partition, write)
  }
  owned.watermark = nextOffset
  keepAccounts(owned.cache, loaded, touched, write.accounts)
  options.onScored({
    records: records.length,
    outcomes: folded.outcomes,
    rejected: rejections.length,
    events: [...handedOver.flatMap(({ events }) => events), ...folded.events.map(({ event }) => event)],
    refolded: treatment === 'again',
  })
}

/**
 * The transaction goes before the store's write, so what an emptied or rolled back store answered must not decide outputs. Asked behind the last
 * read: had the store lost anything before it, its watermark would be another.
 * @throws UpswellError STORE_MOVED
 */
async function checkStore(store: AccountStore, partition: number, watermark: number): Promise<void> {
  const found = await store.readWatermark(partition)
  if (found === watermark) return
  throw new UpswellError(
    'STORE_MOVED',
    `the store's partition ${partition} stands at ${found}, not at ${watermark}: it was emptied or rolled back`,
  )
}

interface Rejected {
  readonly record: LogRecord
  readonly rejection: Rejection
}

function decodeAll(
  records: readonly LogRecord[],
  library: ModelLibrary,
): { entries: LogEntry[]; rejections: Rejected[] } {
  const entries: LogEntry[] = []
  const rejections: Rejected[] = []
  for (const record of records) {
    const decoded = decodeRecord(record, library)
    if ('entry' in decoded) entries.push(decoded.entry)
    else rejections.push({ record, rejection: decoded.rejection })
  }
  return { entries, rejections }
}

function handOverRecords(
  handedOver: readonly HandedOver[],
  topics: TopicNames,
  sequence: string,
): OutgoingRecord[] {
  return handedOver.flatMap(({ events }) => events.map(event => eventRecord(topics, event, sequence)))
}

function outputsOf(
  folded: FoldResult,
  touched: readonly TouchedAccount[],
  handedOver: readonly HandedOver[],
  topics: TopicNames,
  partition: number,
): OutgoingRecord[] {
  const outputs = folded.events.map(({ offset, event }) =>
    eventRecord(topics, event, `${partition}:${offset}`),
  )
  const news = new Set(handedOver.map(({ account }) => account))
  for (const { account, isMoved } of touched) {
    if (isMoved || news.has(account))
      outputs.push(accountScoresRecord(topics, account, `${partition}:${account.lastOffset}`))
  }
  return outputs
}
