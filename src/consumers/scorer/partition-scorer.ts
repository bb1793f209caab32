import { UpswellError } from '../../lib/errors.ts'
import { Turns } from '../../lib/turns.ts'
import { accountScoresRecord } from '../../log/account-scores-record.ts'
import { type DecodedRecords, decodeRecords } from '../../log/decode-signals-topic.ts'
import type { OutgoingRecord, PartitionSession, RecordList } from '../../log/log.ts'
import { deadLetterRecord, eventRecord } from '../../log/output-records.ts'
import type { Account } from '../../scoring/account.ts'
import { type FoldResult, foldBatch } from '../../scoring/fold.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { ScannedSignals } from '../../signals/scan/scanned-signals.ts'
import { signalRuns } from '../../signals/signal-table.ts'
import type { PartitionCheckpoints } from '../checkpoints/partition-checkpoints.ts'
import type { LoadedAccounts } from './account-loader.ts'
import type { DirtyAccounts } from './dirty-accounts.ts'
import { fenceAndRestore, type OpenedPartition } from './fence-and-restore.ts'
import { FlushPolicy } from './flush-policy.ts'
import { PartitionAccounts } from './partition-accounts.ts'
import { firstRecords, type PartitionOffsets, type Step } from './partition-offsets.ts'
import type { PartitionShare } from './partition-shares.ts'
import { PendingCommits } from './pending-commits.ts'
import type { PreparedFlush } from './prepare-flush.ts'
import type { Announcement } from './publication.ts'
import type { ScorerContext } from './scorer-context.ts'
import type { PartitionState } from './scorer-meter.ts'
import type { StepReport } from './step-report.ts'
import { UnreadFinder } from './unread-finder.ts'
import type { TouchedAccount } from './write-builder.ts'

/**
 * One partition that this process owns, from fence to release. Fold is ahead of commit, commit is ahead of
 * the store. After any error its memory is of no use: the session is lost, and the partition is taken again.
 */
export class PartitionScorer {
  readonly session: PartitionSession
  readonly memory: PartitionMemory
  readonly offsets: PartitionOffsets
  /** The store's partition is whole once the stored offset has reached this. */
  readonly wholeFrom: number
  readonly #context: ScorerContext
  readonly #fencingToken: string
  readonly #checkpoints: PartitionCheckpoints | undefined
  readonly #share: PartitionShare
  readonly #accounts: PartitionAccounts
  /** The signals of the step that is being folded. */
  readonly #signals = new ScannedSignals()
  readonly #unread = new UnreadFinder()
  readonly #commits: PendingCommits
  readonly #flushPolicy: FlushPolicy
  /** As the store holds it. */
  #storedMemory: PartitionMemory
  /** Batches and flushes take turns. */
  readonly #turns = new Turns()
  #isReleased = false
  /** When the oldest record that is not stored was folded, ms of `performance.now`. */
  #unstoredSince = 0

  /**
   * @throws UpswellError STORE_MOVED: the store holds more than the log; STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  static async take(
    context: ScorerContext,
    session: PartitionSession,
    fencingToken: string,
  ): Promise<PartitionScorer> {
    const share = context.shares.join()
    try {
      const opened = await share.during(() => fenceAndRestore(context, session, fencingToken, share))
      return new PartitionScorer(context, session, fencingToken, opened, share)
    } catch (error) {
      share.leave()
      throw error
    }
  }

  private constructor(
    context: ScorerContext,
    session: PartitionSession,
    fencingToken: string,
    { offsets, memory, checkpoints, wholeFrom }: OpenedPartition,
    share: PartitionShare,
  ) {
    this.#context = context
    this.session = session
    this.#fencingToken = fencingToken
    this.offsets = offsets
    this.memory = memory
    this.wholeFrom = wholeFrom
    this.#storedMemory = { ...memory }
    this.#checkpoints = checkpoints
    this.#share = share
    this.#accounts = new PartitionAccounts(context, session.partition, memory, share)
    this.#commits = new PendingCommits(session)
    this.#flushPolicy = new FlushPolicy(context.flushes)
  }

  /** What the next flush writes. */
  get dirty(): DirtyAccounts {
    return this.#accounts.dirty
  }

  /** When the last flush started, ms of the flush schedule's clock. */
  get flushedAt(): number {
    return this.#flushPolicy.flushedAt
  }

  /** For metrics. */
  get state(): PartitionState {
    const { folded, stored, found, hasUnstored } = this.offsets
    const toRefold = Math.max(0, found.committed - found.stored)
    return {
      partition: this.session.partition,
      unstoredRecords: folded - stored,
      unstoredMs: hasUnstored ? performance.now() - this.#unstoredSince : 0,
      cachedAccounts: this.#accounts.size,
      refold: { done: Math.min(toRefold, folded - found.stored), total: toRefold },
      checkpoint: this.#checkpoints?.lag(stored),
    }
  }

  /** Whether a checkpoint waits for a step to start or continue with. */
  get isCheckpointWaiting(): boolean {
    return this.#checkpoints?.isWaiting === true
  }

  /**
   * Folds a batch and publishes its events, or leaves them to the commit after the one under way
   * (pending-commits.ts).
   * @throws UpswellError LOG_FENCED, LOG_UNAVAILABLE, STORE_FENCED, STORE_MOVED, STORE_UNAVAILABLE; the
   * session is lost
   */
  score(records: RecordList): Promise<void> {
    return this.#inTurn(async () => {
      for (const step of this.offsets.split(records)) {
        if (step.treatment === 'stored') await this.#skip(step)
        else await this.#scoreInPieces(records, step)
      }
    })
  }

  /** Flushes if it is time: no batch may come to do it. Errors as of `score`. */
  flushIfDue(): Promise<void> {
    return this.#inTurn(() => this.#flushIfDue())
  }

  /** Writes all that is in memory to the store. Errors as of `score`. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#flush())
  }

  async #skip({ nextOffset }: Step): Promise<void> {
    await this.session.commit([], nextOffset, this.offsets.metadata())
  }

  /** So that no step needs more memory than there is for it. */
  async #scoreInPieces(records: RecordList, step: Step): Promise<void> {
    let left = step
    while (left.from < left.to) {
      const piece = firstRecords(records, left, this.#accounts.recordsOfStep(left.to - left.from))
      const isScored = await this.#scoreStep(records, piece)
      if (isScored) left = { ...left, from: piece.to }
    }
  }

  /**
   * Decode → load → fold → publish → flush. All waits are outside the fold, which is pure and synchronous.
   * Returns false if the step needs too much memory: nothing was folded, and a smaller one will do.
   */
  async #scoreStep(records: RecordList, step: Step): Promise<boolean> {
    const { publication } = this.#context
    const { partition, topic } = this.session
    const isLive = step.treatment === 'live'
    if (this.offsets.needsFlushBefore(step)) await this.#flush()
    if (isLive && step.isPromotion)
      // It waits for another partition, which may need the place.
      await this.#share.outside(() => publication.beforePromotion(partition, records.at(step.from)!))
    const { entries, rejections, bytesParsed } = this.#decode(records, step)
    const loaded = await this.#accounts.load(entries, step.to - step.from)
    if (loaded === undefined) return false
    const unannounced = publication.unannounced(this.memory, () => accountsOf(entries, loaded))
    const announcements = isLive ? await publication.announce(partition, unannounced) : []
    if (loaded.askedStore) await this.#requireUnmovedStore()

    const folded = foldBatch(entries, this.memory, loaded.accounts)
    this.#signals.clear()
    if (!this.offsets.hasUnstored) this.#unstoredSince = performance.now()
    this.offsets.foldedTo(step)
    // A tick leaves loaded accounts that are not due as they are: they are announced when next touched.
    const announced = announcements.filter(({ account }) => folded.touched.has(account))
    const report: StepReport = {
      topic,
      records: step.to - step.from,
      outcomes: folded.outcomes,
      rejected: rejections.length,
      reasons: rejections.map(({ rejection }) => rejection.code),
      limits: folded.limits,
      unread: this.#unread.find(folded.begun, this.memory.modelSets.at(-1)!.models),
      events: [...announced.flatMap(({ events }) => events), ...folded.events.map(({ event }) => event)],
      refolded: !isLive,
    }
    const outputs = isLive ? this.#outputsOf(rejections, announced, folded) : []
    this.#accounts.remember(folded, loaded, {
      records: report.records,
      bytesParsed,
      outputBytes: bytesOf(outputs),
    })
    this.#accounts.announce(unannounced.filter(account => folded.touched.has(account)))
    await this.#publish(outputs, report)
    this.#flushPolicy.onStep()
    await this.#flushIfDue()
    return true
  }

  /** A retired lineage ignores the records. */
  #decode(records: RecordList, { from, to }: Step): DecodedRecords {
    const { scanner, publication } = this.#context
    // A step that failed may have left some.
    this.#signals.clear()
    const end = publication.role(this.memory) === 'retired' ? from : to
    const scanning = scanner === undefined ? undefined : { scanner, signals: this.#signals }
    return decodeRecords(records, from, end, this.#context, scanning)
  }

  /**
   * A transaction precedes the store's write, so the answers of an emptied or rolled back store must not
   * decide outputs. Asked after the last read: a store that lost something before it has another offset.
   * @throws UpswellError STORE_MOVED
   */
  async #requireUnmovedStore(): Promise<void> {
    const { partition } = this.session
    const found = await this.#context.backend.store.readStoredOffset(partition)
    if (found === this.offsets.stored) return
    throw new UpswellError(
      'STORE_MOVED',
      `the store's partition ${partition} is at offset ${found}, not at ${this.offsets.stored}: it was emptied or rolled back`,
    )
  }

  #outputsOf(
    rejections: DecodedRecords['rejections'],
    announced: readonly Announcement[],
    folded: FoldResult,
  ): OutgoingRecord[] {
    const { publication } = this.#context
    const topics = publication.topics(this.memory)
    const { partition } = this.session
    const promotedAt = `${partition}:${this.memory.promotion?.offset}`
    return [
      ...rejections.map(({ record, rejection }) => deadLetterRecord(topics, record, rejection)),
      ...announced.flatMap(({ events }) => events.map(event => eventRecord(topics, event, promotedAt))),
      ...folded.events.map(({ offset, event }) => eventRecord(topics, event, `${partition}:${offset}`)),
    ]
  }

  async #publish(outputs: readonly OutgoingRecord[], report: StepReport): Promise<void> {
    const onCommitted = (): void => this.#context.onScored(report)
    if (outputs.length === 0) return onCommitted()
    const metadata = this.offsets.metadata()
    await this.#commits.add({ outputs, nextOffset: this.offsets.folded, metadata, onCommitted })
  }

  async #flushIfDue(): Promise<void> {
    const isBehind = this.offsets.folded < this.session.endOffset
    const { dirty, isFull } = this.#accounts
    if (this.offsets.hasUnstored && this.#flushPolicy.isDue(dirty, isBehind, isFull)) await this.#flush()
  }

  /**
   * Publishes the scores of accounts that moved, with the offset; then writes the store. Afterwards memory
   * and store are equal.
   */
  async #flush(): Promise<void> {
    if (!this.offsets.hasUnstored) return
    const startedAt = performance.now()
    let isDone = false
    try {
      await this.#flushPolicy.during(() => this.#flushNow())
      isDone = true
    } finally {
      this.#context.meter?.flushed((performance.now() - startedAt) / 1000, isDone)
    }
  }

  async #flushNow(): Promise<void> {
    const prepared = await this.#prepareFlush()
    // The store must never be ahead of the committed log.
    await this.#commits.settle()
    if (this.offsets.hasUnpublishedScores) await this.#publishScoresAndStore(prepared)
    else await this.#context.backend.store.save(this.session.partition, prepared.write)
    this.offsets.flushed()
    this.#storedMemory = { ...this.memory }
    this.#accounts.flushed(prepared)
  }

  #prepareFlush(): Promise<PreparedFlush> {
    const { library } = this.#context
    return this.#accounts.prepareFlush({
      fencingToken: this.#fencingToken,
      expectedStoredOffset: this.offsets.stored,
      storedOffset: this.offsets.folded,
      memory: this.dirty.hasMemoryChanged ? this.memory : undefined,
      library,
    })
  }

  async #publishScoresAndStore(prepared: PreparedFlush): Promise<void> {
    const { backend, publication } = this.#context
    const { partition, committedOffset } = this.session
    const { folded } = this.offsets
    const topics = publication.topics(this.memory)
    const outputs = await this.#checkpointRecords(prepared)
    for (const touched of prepared.touched) {
      const { account } = touched
      if (this.#isToPublish(touched))
        outputs.push(accountScoresRecord(topics, account, `${partition}:${account.lastOffset}`))
    }
    await backend.commitFlush(this.session, {
      outputs,
      // While committed records are refolded, the committed offset stays.
      nextOffset: Math.max(folded, committedOffset),
      metadata: this.offsets.metadata(folded),
      write: prepared.write,
    })
  }

  /** Whether the account's scores differ from the published ones, or may differ. */
  #isToPublish({ account, before, changes }: TouchedAccount): boolean {
    if (changes.isMoved || this.dirty.announced.has(account)) return true
    return before !== undefined && this.offsets.isUncertain(before.lastOffset)
  }

  /**
   * A checkpoint shows the store as it is before this write. None starts while committed records are
   * refolded: it would hold less than the last one.
   */
  async #checkpointRecords({ touched }: PreparedFlush): Promise<OutgoingRecord[]> {
    const { partition, committedOffset } = this.session
    if (this.#checkpoints === undefined || this.offsets.folded < committedOffset) return []
    const stored = { partition, memory: this.#storedMemory, storedOffset: this.offsets.stored }
    const next = await this.#checkpoints.next(stored)
    const overtaken = await this.#checkpoints.overtaken(partition, touched)
    const records = [...next, ...overtaken]
    if (records.length > 0) await this.#requireUnmovedStore()
    return records
  }

  /** The session is over: nothing that waits for its turn is done any more. */
  release(): void {
    this.#isReleased = true
    this.#share.leave()
  }

  /** Other partitions may need memory that this one does not. */
  async #makeRoom(): Promise<void> {
    if (this.#share.isCrowded) await this.#flush()
    if (!this.offsets.hasUnstored) this.#accounts.trim()
  }

  /** One batch or flush at a time. After a failure memory is of no use, so what waits is not done. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#isReleased) return
      try {
        await this.#share.during(async () => {
          await work()
          await this.#makeRoom()
        })
      } catch (error) {
        this.release()
        this.session.lose(error)
        throw error
      }
    })
  }
}

function bytesOf(outputs: readonly OutgoingRecord[]): number {
  let bytes = 0
  for (const { key, value } of outputs) bytes += (key?.length ?? 0) + (value?.length ?? 0)
  return bytes
}

/** The loaded accounts that the entries are about. */
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
