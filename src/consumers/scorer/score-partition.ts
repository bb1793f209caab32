import type { Logger } from '../../lib/logger.ts'
import type { OutgoingRecord, RecordList } from '../../log/log.ts'
import { type DecodedRecords, decodeRecords, readPromotion, recordKind } from '../../log/log-entries.ts'
import { deadLetterRecord, eventRecord } from '../../log/output-records.ts'
import { publishedMetadata } from '../../log/published-offset.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import type { Account, SignalOutcome } from '../../scoring/account.ts'
import { foldBatch } from '../../scoring/fold.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { ScoringEvent } from '../../scoring/outputs.ts'
import type { SignalScanner } from '../../signals/scan-signal.ts'
import { signalRuns } from '../../signals/signal-table.ts'
import type { Backend } from '../backend.ts'
import type { CheckpointTiming } from '../checkpoints/partition-checkpoints.ts'
import { awaitOrigin } from '../lineage/await-origin.ts'
import { type HandedOver, handOverAccounts, untoldAccounts } from '../lineage/hand-over.ts'
import { type Lineage, outputTopics, roleOf } from '../lineage/lineage.ts'
import { checkStore } from './check-store.ts'
import { flushPartition, isFlushDue } from './flush-partition.ts'
import { type LoadedAccounts, loadAccounts } from './loaded-accounts.ts'
import type { StoreWrites } from './store-writes.ts'
import type { OwnedPartition } from './take-partition.ts'

export interface ScoreOptions {
  readonly backend: Backend
  readonly topics: TopicNames
  /** Left out: it serves, and always will. */
  readonly lineage?: Lineage
  readonly library: ModelLibrary
  readonly logger: Logger
  /** Reads plain signals off their bytes; left out: all are parsed. */
  readonly scanner?: SignalScanner
  /** Left out: an emptied store is made from the log alone. Without `timing` checkpoints are read, and none are written. */
  readonly checkpoints?: { readonly topic: string; readonly timing: CheckpointTiming | undefined }
  /** Left out: the store is written with each batch. */
  readonly flush?: FlushTiming
  /** Those of all partitions of one score loop. Left out: each is written whatever becomes of the others. */
  readonly writes?: StoreWrites
  readonly onScored: (batch: BatchReport) => void
}

/** When the store is written: memory is ahead of it meanwhile, and what was committed and is not in it is folded again after a crash. */
export interface FlushTiming {
  /** From the beginning of one write to that of the next. */
  readonly intervalMs: number
  readonly now: () => number
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

/**
 * One batch: folded in memory, and what is to be published is published at once, or, while the last commit is under way, with the next one (pending-commits.ts). The store is written
 * when its time has come (flush-partition.ts).
 * @throws UpswellError, and then what is in memory is of no use any more
 */
export async function scoreRecords(
  options: ScoreOptions,
  owned: OwnedPartition,
  records: RecordList,
): Promise<void> {
  for (const step of cutIntoSteps(records, owned)) {
    if (step.treatment === 'known')
      await owned.session.commit([], nextOffsetOf(step, records), publishedMetadata(owned.published))
    else await scoreStep(options, owned, records, step)
  }
}

/**
 * Records that are made to last together: those at `from` to before `to` of a batch.
 * - `known`: they are in the store.
 * - `again`: they were committed, but are not in the store. `told`: nor are their accounts' scores still to be published.
 */
interface Step {
  readonly treatment: 'known' | 'told' | 'again' | 'new'
  readonly from: number
  readonly to: number
}

/** These stand alone: a tick is a batch of its own with the accounts that it makes due, and with a promotion it changes what the line does. */
const ALONE = new Set<string | undefined>(['tick', 'promotion'])

/** Cuts where the treatment changes, and around what stands alone. */
function cutIntoSteps(records: RecordList, owned: OwnedPartition): Step[] {
  const steps: Step[] = []
  let from = 0
  let treatment: Step['treatment'] = 'known'
  let alone = false
  for (let i = 0; i < records.length; i++) {
    const record = records.at(i)!
    const next = treatmentOf(record.offset, owned)
    const standsAlone = ALONE.has(recordKind(record))
    if (i > 0 && (next !== treatment || alone || standsAlone)) {
      steps.push({ treatment, from, to: i })
      from = i
    }
    treatment = next
    alone = standsAlone
  }
  if (records.length > 0) steps.push({ treatment, from, to: records.length })
  return steps
}

function nextOffsetOf({ to }: Step, records: RecordList): number {
  return records.at(to - 1)!.offset + 1
}

function treatmentOf(offset: number, { session, taken }: OwnedPartition): Step['treatment'] {
  if (offset < taken.storedOffset) return 'known'
  if (offset >= session.committedOffset) return 'new'
  return offset < taken.published ? 'told' : 'again'
}

/** Decode → load → fold → commit. The waits are before and after the fold, which is pure and cannot be interrupted. */
async function scoreStep(
  options: ScoreOptions,
  owned: OwnedPartition,
  records: RecordList,
  step: Step,
): Promise<void> {
  const { backend, library, lineage } = options
  const { session, memory, cache } = owned
  const { treatment } = step
  const first = records.at(step.from)!
  const { partition } = session
  const isNew = treatment === 'new'
  // What is published already goes into the store by itself: of the rest the scores are still to be published. And what comes before a promotion is published as
  // the line was before it.
  const isBoundary = treatment !== 'told' && owned.position <= owned.published
  if (isBoundary || readPromotion(first) !== undefined) await flushPartition(options, owned)
  if (isNew && lineage !== undefined) await awaitOrigin(lineage, partition, first)
  const isRetired = lineage !== undefined && roleOf(lineage, memory) === 'retired'
  const { entries, rejections } = decodeStep(
    records,
    isRetired ? { ...step, to: step.from } : step,
    options,
    owned,
  )
  const loaded = await loadAccounts(backend.store, cache, partition, entries, memory, owned.unsaved.accounts)
  const untold =
    lineage === undefined ? [] : untoldAccounts(lineage, memory, () => accountsOf(entries, loaded))
  const toldOf =
    isNew && lineage !== undefined ? await handOverAccounts(lineage, partition, untold, library) : []
  owned.unsaved.loadedChunks += loaded.loadedChunks
  if (loaded.askedStore) await checkStore(backend.store, partition, owned.storedOffset)

  const folded = foldBatch(entries, memory, loaded.accounts)
  owned.signals.clear()
  owned.unsaved.add(folded, account => cache.savedOf(account.id)?.sizeBytes ?? 0)
  for (const account of untold) if (folded.touched.has(account)) owned.unsaved.toldOf.add(account)
  // A tick of the wall clock finds accounts due, and leaves them as they are while history is loaded: they are handed over when they are next touched.
  const handedOver = toldOf.filter(({ account }) => folded.touched.has(account))

  owned.position = nextOffsetOf(step, records)
  owned.scoredAt = options.flush?.now() ?? 0
  const topics = lineage === undefined ? options.topics : outputTopics(lineage, memory)
  const outputs = isNew
    ? [
        ...rejections.map(({ record, rejection }) => deadLetterRecord(topics, record, rejection)),
        ...handOverRecords(handedOver, topics, `${partition}:${memory.promotion?.offset}`),
        ...folded.events.map(({ offset, event }) => eventRecord(topics, event, `${partition}:${offset}`)),
      ]
    : []
  const report: BatchReport = {
    records: step.to - step.from,
    outcomes: folded.outcomes,
    rejected: rejections.length,
    events: [...handedOver.flatMap(({ events }) => events), ...folded.events.map(({ event }) => event)],
    refolded: !isNew,
  }
  const onCommitted = (): void => options.onScored(report)
  if (isFlushDue(options, owned)) {
    await flushPartition(options, owned, outputs)
    onCommitted()
  } else if (outputs.length > 0) {
    const metadata = publishedMetadata(owned.published)
    await owned.commits.add({ outputs, nextOffset: owned.position, metadata, onCommitted })
  } else {
    onCommitted()
  }
}

/** Those among the loaded accounts that the entries are about. */
function accountsOf(entries: readonly LogEntry[], { accounts }: LoadedAccounts): Account[] {
  if (entries.some(({ type }) => type === 'tick')) return [...accounts.values()]
  const found = new Set<Account>()
  for (const { signals, from, to } of signalRuns(entries)) {
    for (let i = from; i < to; i++) {
      const account = accounts.get(signals.accountId(i))
      if (account !== undefined) found.add(account)
    }
  }
  return [...found]
}

function decodeStep(
  records: RecordList,
  { from, to }: Step,
  { library, scanner }: ScoreOptions,
  { signals }: OwnedPartition,
): DecodedRecords {
  // A batch that failed may have left some.
  signals.clear()
  return decodeRecords(records, from, to, library, scanner === undefined ? undefined : { scanner, signals })
}

function handOverRecords(
  handedOver: readonly HandedOver[],
  topics: TopicNames,
  sequence: string,
): OutgoingRecord[] {
  return handedOver.flatMap(({ events }) => events.map(event => eventRecord(topics, event, sequence)))
}
