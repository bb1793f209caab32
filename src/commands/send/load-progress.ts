import { grouped } from '../../console/format.ts'
import type { ErrorCode } from '../../lib/errors.ts'
import { type OrderedSignals, sortCommand } from '../signal-file/ordered-signals.ts'
import { nameOf } from '../signal-file/signal-file.ts'
import type { Sending } from './describe-load.ts'
import { sendCommand } from './send-options.ts'

/** Lines in the order of sending: the numbers of the first and the last one. */
interface Lines {
  readonly first: number
  readonly last: number
  readonly count: number
}

// A line on its way:
//
//   add            it waits for its batch to be full
//   beginWrite     whether it is in the log is unknown
//   endWrite       it is in the log
//   noteInLog      it was found in the log

/** Knows how far a load is, and says where to go on if it breaks off. */
export class LoadProgress {
  #lastInLog: number | undefined
  #waiting: Lines | undefined
  #unknown: Lines | undefined
  #isDone = false

  noteInLog(number: number): void {
    this.#lastInLog = number
  }

  add(number: number): void {
    const { first, count } = this.#waiting ?? { first: number, count: 0 }
    this.#waiting = { first, last: number, count: count + 1 }
  }

  beginWrite(): void {
    this.#unknown = this.#waiting
    this.#waiting = undefined
  }

  endWrite(): void {
    this.#lastInLog = this.#unknown?.last ?? this.#lastInLog
    this.#unknown = undefined
  }

  /** Nothing is left to do. */
  finish(): void {
    this.#isDone = true
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** A write has begun, and its outcome is unknown. */
  get isWriting(): boolean {
    return this.#unknown !== undefined
  }

  /**
   * Where the load broke off, and the command that goes on there; empty if it did not break off.
   * @param ordered undefined: nothing was sent yet
   * @param why the code of the error that ended it
   */
  describe(
    { file, options }: Sending,
    ordered: OrderedSignals | undefined,
    why: ErrorCode | undefined,
  ): string[] {
    if (this.#isDone) return []
    const fromLine = ordered && this.#nextLine(ordered)
    if (fromLine === undefined) return ['Nothing was sent.']
    const lines: string[] = []
    if (this.#lastInLog !== undefined) {
      const inOrder = ordered?.order === 'sorted' ? ' in order of time' : ''
      lines.push(
        `Line ${grouped(this.#lastInLog)} of ${nameOf(file)} is the last one${inOrder} that is in the log.`,
      )
    }
    if (this.#unknown !== undefined) {
      const { count } = this.#unknown
      const which = this.#lastInLog === undefined ? 'first' : 'next'
      lines.push(
        `The ${which} ${count === 1 ? 'signal' : `${grouped(count)} signals`} may be in the log: the write was not answered. The command below looks for them there, and does not send them twice.`,
      )
    }
    if (why === 'INPUT_OUT_OF_ORDER') {
      lines.push(
        'To go on, sort the rest of the input, and send it. A signal that is older than the newest one of its account in the log counts as late.',
        `  ${sortCommand(file, fromLine)}`,
        `  ${sendCommand('sorted.jsonl', { ...options, fromLine: undefined })}`,
      )
    } else {
      const sameInput = file === '-' ? ', with the same input' : ''
      lines.push(`To go on${sameInput}:`, `  ${sendCommand(file, { ...options, fromLine })}`)
    }
    return lines
  }

  /** The line that the log does not have for certain; undefined if it has none of them. */
  #nextLine(ordered: OrderedSignals): number | undefined {
    return this.#lastInLog === undefined ? this.#unknown?.first : ordered.numberAfter(this.#lastInLog)
  }
}
