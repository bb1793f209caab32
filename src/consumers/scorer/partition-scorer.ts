import { UpswellError } from '../../lib/errors.ts'
import { Turns } from '../../lib/turns.ts'
import { type DecodedRecords, decodeRecords } from '../../log/decode-signals-topic.ts'
import type { OutgoingRecord, PartitionSession, RecordList } from '../../log/log.ts'
import { foldBatch } from '../../scoring/fold.ts'
import type { PartitionMemory } from '../../scoring/partition-memory.ts'
import { ScannedSignals } from '../../signals/scan/scanned-signals.ts'
import type { PartitionCheckpoints } from '../checkpoints/partition-checkpoints.ts'
import { accountsOf } from './accounts-of-entries.ts'
import { fenceAndRestore, type OpenedPartition } from './fence-and-restore.ts'
import type { DirtyAccounts } from './flush/dirty-accounts.ts'
import { FlushOutputs } from './flush/flush-outputs.ts'
import { FlushPolicy } from './flush/flush-policy.ts'
import type { PreparedFlush } from './flush/prepare-flush.ts'
import { PartitionAccounts } from './partition-accounts.ts'
import { firstRecords, type PartitionOffsets, type Step } from './partition-offsets.ts'
import type { PartitionShare } from './partition-shares.ts'
import { PendingCommits } from './pending-commits.ts'
import { requireUnmovedStore } from './require-unmoved-store.ts'
import type { ScorerContext } from './scorer-context.ts'
import type { PartitionState } from './scorer-meter.ts'
import { bytesOf, type FoldedStep, outputsOf, reportOf } from './step-outputs.ts'
import type { StepReport } from './step-report.ts'
import { UnreadFinder } from './unread-finder.ts'

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
  readonly #flushOutputs: FlushOutputs
  /** Batches and flushes take turns. */
  readonly #turns = new Turns()
  #isReleased = false
  /** When the oldest record that is not stored was folded, ms of `performance.now`. */
  #unstoredSince = 0

  /**
   * @throws UpswellError STORE_MOVED: the store holds more than the log; LOG_FENCED: the session is over;
   * STORE_UNAVAILABLE, LOG_UNAVAILABLE
   */
  static async take(
    context: ScorerContext,
    session: PartitionSession,
    fencingToken: string,
  ): Promise<PartitionScorer> {
    const share = context.shares.join()
    try {
      const opened = await share.during(() => {
        // It may have waited long for its place, and must not fence the owner that the partition has now.
        if (session.isOver) throw new UpswellError('LOG_FENCED', 'the partition has another owner')
        return fenceAndRestore(context, session, fencingToken, share)
      })
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
    this.#checkpoints = checkpoints
    this.#share = share
    this.#accounts = new PartitionAccounts(context, session.partition, memory, share)
    this.#flushOutputs = new FlushOutputs({ context, session, offsets, memory, checkpoints }, this.#accounts)
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
    return this.#inTurn(
      () => this.#flushIfDue(),
      () => this.#isFlushDue(),
    )
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
    const { publication, backend } = this.#context
    const { partition, topic } = this.session
    const isLive = step.treatment === 'live'
    if (this.offsets.needsFlushBefore(step)) await this.#flush()
    if (isLive && step.isPromotion)
      // It waits for another partition, which may need the place.
      await this.#share.outside(() => publication.beforePromotion(partition, records.at(step.from)!))
    const { entries, rejections, bytesParsed } = this.#decode(records, step)
    const loaded = await this.#accounts.load(entries, step.to - step.from)
    if (loaded === undefined) {
      // Some accounts were loaded: the next step finds them in memory, and may not ask the store at all.
      await requireUnmovedStore(backend.store, partition, this.offsets.stored)
      return false
    }
    const unannounced = publication.unannounced(this.memory, () => accountsOf(entries, loaded))
    const announcements = isLive ? await publication.announce(partition, unannounced) : []
    if (loaded.askedStore) await requireUnmovedStore(backend.store, partition, this.offsets.stored)

    const folded = foldBatch(entries, this.memory, loaded.accounts)
    this.#signals.clear()
    if (!this.offsets.hasUnstored) this.#unstoredSince = performance.now()
    this.offsets.foldedTo(step)
    // A tick leaves loaded accounts that are not due as they are: they are announced when next touched.
    const announced = announcements.filter(({ account }) => folded.touched.has(account))
    const done: FoldedStep = { partition, topic, records: step.to - step.from, rejections, announced, folded }
    const unread = this.#unread.find(folded.begun, this.memory.modelSets.at(-1)!.models)
    const report = reportOf(done, unread, !isLive)
    const outputs = isLive
      ? outputsOf(done, publication.topics(this.memory), this.memory.promotion?.offset)
      : []
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

  async #publish(outputs: readonly OutgoingRecord[], report: StepReport): Promise<void> {
    const onCommitted = (): void => this.#context.onScored(report)
    if (outputs.length === 0) return onCommitted()
    const metadata = this.offsets.metadata()
    await this.#commits.add({ outputs, nextOffset: this.offsets.folded, metadata, onCommitted })
  }

  async #flushIfDue(): Promise<void> {
    if (this.#isFlushDue()) await this.#flush()
  }

  #isFlushDue(): boolean {
    const isBehind = this.offsets.folded < this.session.endOffset
    const { dirty, isFull } = this.#accounts
    return this.offsets.hasUnstored && this.#flushPolicy.isDue(dirty, isBehind, isFull)
  }

  /**
   * Publishes the scores of accounts whose scores changed, with the offset; then writes the store. Afterwards
   * memory and store are equal.
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
    this.#flushOutputs.stored()
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
    const { folded } = this.offsets
    await this.#context.backend.commitFlush(this.session, {
      outputs: await this.#flushOutputs.recordsOf(prepared),
      // While committed records are refolded, the committed offset stays.
      nextOffset: Math.max(folded, this.session.committedOffset),
      metadata: this.offsets.metadata(folded),
      write: prepared.write,
    })
  }

  /** The session is over: nothing that waits for its turn is done any more. */
  release(): void {
    this.#isReleased = true
    this.#share.leave()
  }

  /** Other partitions may need memory that this one does not. */
  async #makeRoom(): Promise<void> {
    if (this.#share.isCrowded) await this.#flush()
    this.#trim()
  }

  #trim(): void {
    if (!this.offsets.hasUnstored) this.#accounts.trim()
  }

  /**
   * One batch or flush at a time. After a failure memory is of no use, so what waits is not done. Work that
   * is not needed takes no place.
   */
  #inTurn(work: () => Promise<void>, isNeeded = () => true): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#isReleased) return
      if (!isNeeded()) return this.#trim()
      try {
        await this.#share.during(async () => {
          if (this.#isReleased) return
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
