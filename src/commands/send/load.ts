import type { Readable } from 'node:stream'
import { grouped } from '../../console/format.ts'
import { SignalWriter } from '../../consumers/ingest/load-signals.ts'
import { type ErrorCode, isUpswellError, UpswellError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import type { Log } from '../../log/log.ts'
import { progressBar } from '../progress-bar.ts'
import { MEMORY_BOUNDS, type OrderedSignals, readOrdered } from '../signal-file/ordered-signals.ts'
import { quoted } from '../signal-file/shell-word.ts'
import { type LineWithSignal, nameOf } from '../signal-file/signal-file.ts'
import type { Survey } from '../signal-file/survey.ts'
import { print } from '../terminal.ts'
import { countAccountsAhead, type ReadableStore } from './accounts-ahead.ts'
import { countInHistory } from './accounts-in-history.ts'
import {
  describeAhead,
  describeOutcomes,
  describePlan,
  describeSent,
  describeUnread,
  planWarnings,
  type Sending,
} from './describe-load.ts'
import { ExpectedOutcomes } from './expected-outcomes.ts'
import { LinesInLog, LOOKED_AT } from './lines-in-log.ts'
import { LoadProgress } from './load-progress.ts'
import { sendCommand } from './send-options.ts'
import { StopRequests } from './stop-requests.ts'

/** The log that is written, and the store of the accounts in it. */
export interface Written {
  readonly log: Log
  readonly store: ReadableStore
}

/** One run of `send`: it looks at the file, says what it will do, does it, and says what it did. */
export class Load {
  readonly #sending: Sending
  readonly #survey: Survey
  readonly #logger: Logger
  readonly #now: () => number
  readonly #store: ReadableStore
  readonly #writer: SignalWriter
  readonly #linesInLog: LinesInLog
  readonly #outcomes = new ExpectedOutcomes()
  readonly #progress = new LoadProgress()
  /** Undefined: the file is still being looked at. */
  #ordered: OrderedSignals | undefined
  #inLog = 0
  #failure: ErrorCode | undefined

  /** @param now ms; signals of the wall clock are observed then */
  constructor(sending: Sending, survey: Survey, { log, store }: Written, logger: Logger, now: () => number) {
    const { topic, options } = sending
    this.#sending = sending
    this.#survey = survey
    this.#logger = logger
    this.#now = now
    this.#store = store
    this.#writer = new SignalWriter({
      log,
      topic,
      batchSize: options.batchSize,
      clock: options.clock,
      now,
    })
    this.#linesInLog = new LinesInLog(log, topic)
  }

  /**
   * Returns the exit code.
   * @throws UpswellError INPUT_UNREADABLE, INPUT_OUT_OF_ORDER, LOG_UNAVAILABLE, INVALID_SETTINGS; before, it
   * says what is in the log
   */
  async run(input: Readable): Promise<number> {
    const stop = new StopRequests(
      // It may wait for standard input.
      () => input.destroy(),
      () => this.#sayWhereItBrokeOff(),
    )
    try {
      await this.#run(input, stop)
      return stop.exitCode !== undefined && !this.#progress.isDone
        ? stop.exitCode
        : this.#survey.rejected.count === 0
          ? 0
          : 1
    } catch (error) {
      this.#failure = isUpswellError(error) ? error.code : undefined
      // The stop itself has closed the input: that is no failure.
      if (stop.exitCode !== undefined && !this.#progress.isWriting) return stop.exitCode
      throw error
    } finally {
      stop.close()
      this.#survey.rejected.print(this.#logger.error)
      this.#sayWhereItBrokeOff()
      if (this.#progress.isDone) this.#report()
    }
  }

  async #run(input: Readable, stop: StopRequests): Promise<void> {
    const { options } = this.#sending
    const ordered = await this.#look(input)
    if (stop.exitCode !== undefined) return
    if (ordered.order !== 'as-they-come') this.#requireFromLine(ordered)
    await this.#announce(ordered)
    this.#ordered = ordered
    await this.#write(ordered, stop)
    if (stop.exitCode !== undefined) return
    if (ordered.order === 'as-they-come') this.#requireFromLine(ordered)
    const { until, accounts, rejected } = this.#survey
    // A file with wrong lines alone releases no account: it is sent again when it is right.
    const endsHistory = until !== undefined || rejected.count === 0
    if (options.clock === 'event' && endsHistory) {
      const inHistory = accounts + (await countInHistory(this.#store))
      await this.#writer.endHistory({ until, accounts: inHistory, afterwards: options.afterwards })
    }
    this.#progress.finish()
  }

  async #look(input: Readable): Promise<OrderedSignals> {
    const { file, options } = this.#sending
    const mustBeInOrder = options.clock === 'event'
    if (file === '-' && mustBeInOrder)
      this.#logger.info('Reading standard input to its end first: history is sent oldest first.')
    const bar = progressBar('reading', 'signals')
    try {
      return await readOrdered({
        file,
        input,
        survey: this.#survey,
        mustBeInOrder,
        bounds: MEMORY_BOUNDS,
        now: this.#now,
        onProgress: bar.update,
      })
    } finally {
      bar.stop()
    }
  }

  /** @throws UpswellError INVALID_SETTINGS: `--from-line` names no line to begin with */
  #requireFromLine({ order, numberAfter }: OrderedSignals): void {
    const { file, options } = this.#sending
    const { fromLine } = options
    const end = this.#survey.lines + 1
    if (fromLine === undefined || fromLine === end) return
    if (fromLine > end)
      throw new UpswellError(
        'INVALID_SETTINGS',
        `--from-line is ${fromLine}, but ${nameOf(file)} has only ${this.#survey.lines} lines; 1 to ${end} is accepted`,
      )
    if (order === 'sorted' && numberAfter(fromLine) === undefined)
      throw new UpswellError(
        'INVALID_SETTINGS',
        `--from-line is ${fromLine}, but that line of ${nameOf(file)} is not a signal; the file is sorted by time before it is sent, so the number of a signal's line is accepted: use the one that the earlier command printed`,
      )
  }

  async #announce({ order }: OrderedSignals): Promise<void> {
    for (const line of describePlan(this.#sending, this.#survey, order)) this.#logger.info(line)
    if (order === 'as-they-come') return
    for (const line of planWarnings(this.#sending, this.#survey, this.#now())) this.#logger.warn(line)
    await this.#warnOfAccountsAhead()
    this.#warnOfUnread()
  }

  async #warnOfAccountsAhead(): Promise<void> {
    const { clock, fromLine } = this.#sending.options
    // A load that goes on finds what it has sent itself.
    if (clock === 'wall' || fromLine !== undefined) return
    const ahead = await countAccountsAhead(this.#store, this.#survey.begins())
    if (ahead > 0) this.#logger.warn(describeAhead(ahead, this.#survey.accounts))
  }

  #warnOfUnread(): void {
    const lines = describeUnread(this.#survey.unread)
    if (lines.length > 0) this.#logger.warn(lines.join('\n'))
  }

  async #write({ order, lines }: OrderedSignals, stop: StopRequests): Promise<void> {
    const { fromLine } = this.#sending.options
    const bar = progressBar('sending', 'signals')
    let isSkipping = fromLine !== undefined
    let isLooking = isSkipping
    let skipped: LineWithSignal | undefined
    try {
      for await (const line of lines) {
        if (stop.exitCode !== undefined) return
        if (isSkipping && (order === 'sorted' ? line.number === fromLine : line.number >= fromLine!)) {
          isSkipping = false
          await this.#checkSkipped(skipped, order)
        }
        this.#expect(line, !isSkipping)
        if (isSkipping) {
          skipped = line
          continue
        }
        isLooking &&= await this.#linesInLog.has(line.signal)
        if (isLooking) this.#noteInLog(line)
        else await this.#add(line, bar.update)
      }
      if (isSkipping) await this.#checkSkipped(skipped, order)
      await this.#writeBatch(bar.update)
    } finally {
      bar.stop()
    }
  }

  #expect({ signal }: LineWithSignal, isCounted: boolean): void {
    const observedAt = this.#sending.options.clock === 'event' ? signal.occurredAt : this.#now()
    this.#outcomes.add(signal, observedAt, isCounted)
  }

  /**
   * The last line that is skipped is at the end of the log, if `send` printed the number of `--from-line`.
   * @throws UpswellError INVALID_SETTINGS: it is not there, and a sorted file is not sent on a guess
   */
  async #checkSkipped(last: LineWithSignal | undefined, order: OrderedSignals['order']): Promise<void> {
    if (last === undefined || (await this.#linesInLog.has(last.signal))) return
    const { fromLine } = this.#sending.options
    if (order === 'sorted')
      throw new UpswellError(
        'INVALID_SETTINGS',
        `--from-line is ${fromLine}, and in order of time line ${last.number} comes before it, but is not near the end of the log (the last ${grouped(LOOKED_AT)} records of its partition); use the number that the earlier command printed, with the same file`,
      )
    this.#logger.warn(
      `line ${last.number} is skipped because of --from-line ${fromLine}, but is not near the end of the log: was everything before line ${fromLine} sent?`,
    )
  }

  #noteInLog({ number }: LineWithSignal): void {
    this.#inLog++
    this.#progress.noteInLog(number)
  }

  async #add({ number, signal }: LineWithSignal, onSent: (sent: number) => void): Promise<void> {
    this.#writer.add(signal)
    this.#progress.add(number)
    if (this.#writer.isFull) await this.#writeBatch(onSent)
  }

  async #writeBatch(onSent: (sent: number) => void): Promise<void> {
    if (this.#writer.waiting === 0) return
    this.#progress.beginWrite()
    await this.#writer.write()
    this.#progress.endWrite()
    onSent(this.#writer.sent)
  }

  #sayWhereItBrokeOff(): void {
    const lines = this.#progress.describe(this.#sending, this.#ordered, this.#failure)
    for (const line of [...lines, ...this.#adviceForPacked()]) process.stderr.write(`${line}\n`)
  }

  /** A packed file that is cut off can still be read up to there. */
  #adviceForPacked(): string[] {
    const { file, options } = this.#sending
    const isCut = this.#failure === 'INPUT_UNREADABLE' && file.endsWith('.gz') && this.#survey.lines > 0
    if (!isCut || this.#ordered !== undefined) return []
    return ['To send what can be read of it:', `  zcat ${quoted(file)} | ${sendCommand('-', options)}`]
  }

  #report(): void {
    if (this.#ordered?.order === 'as-they-come') this.#warnOfUnread()
    const counts = {
      sent: this.#writer.sent,
      inLog: this.#inLog,
      rejected: this.#survey.rejected.count,
    }
    print(describeSent(this.#sending, counts))
    const outcomes = describeOutcomes(this.#outcomes.counts, !this.#outcomes.hasForgotten)
    if (outcomes !== undefined) print(outcomes)
  }
}
