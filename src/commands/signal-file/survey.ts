import type { UnreadNames } from '../../analysis/unread-names.ts'
import { dayOf } from '../../signals/time.ts'
import { type LineWithSignal, RejectedLines, type SignalLine } from './signal-file.ts'

/** A line whose account has a newer signal in a line before it. */
export interface LineOutOfOrder {
  readonly number: number
  readonly accountId: string
  /** ms */
  readonly occurredAt: number
  /** The newest signal of the account before it. */
  readonly newer: AccountEnd
}

interface AccountEnd {
  readonly number: number
  /** ms */
  readonly occurredAt: number
}

interface DayOfSignals {
  readonly firstLine: number
  signals: number
}

/** The signals that come long after all others. */
export interface Outliers {
  readonly signals: number
  readonly firstLine: number
  /** How many whole days before them have no signal. */
  readonly gapDays: number
}

/** What is known of a file of signals. It grows line by line. */
export class Survey {
  readonly rejected = new RejectedLines()
  readonly #unread: UnreadNames | undefined
  readonly #ends = new Map<string, { number: number; occurredAt: number }>()
  readonly #days = new Map<number, DayOfSignals>()
  #signals = 0
  #lines = 0
  #from: number | undefined
  #until: number | undefined
  #firstOutOfOrder: LineOutOfOrder | undefined
  #outOfOrder = 0

  /** @param unread counts the names that no model reads; undefined: they are not counted */
  constructor(unread?: UnreadNames) {
    this.#unread = unread
  }

  add(line: SignalLine): void {
    this.#lines = line.number
    if (line.type === 'rejected') this.rejected.add(line)
    else this.#addSignal(line)
  }

  get signals(): number {
    return this.#signals
  }

  /** The number of the last line that is not blank. */
  get lines(): number {
    return this.#lines
  }

  get accounts(): number {
    return this.#ends.size
  }

  /** The oldest `occurredAt`, ms; undefined: there are no signals. */
  get from(): number | undefined {
    return this.#from
  }

  /** The newest `occurredAt`, ms. */
  get until(): number | undefined {
    return this.#until
  }

  /** Undefined: each account's signals come in order of time. */
  get firstOutOfOrder(): LineOutOfOrder | undefined {
    return this.#firstOutOfOrder
  }

  /** How many signals are out of order. */
  get outOfOrder(): number {
    return this.#outOfOrder
  }

  get unread(): UnreadNames | undefined {
    return this.#unread
  }

  /** How many signals occurred on this UTC day or earlier. */
  signalsUntilDay(last: number): number {
    let count = 0
    for (const [day, { signals }] of this.#days) if (day <= last) count += signals
    return count
  }

  /** The newest signals, if they are few and come long after all others. */
  outliers(): Outliers | undefined {
    const days = [...this.#days.keys()].sort((a, b) => b - a)
    let signals = 0
    let firstLine = Number.POSITIVE_INFINITY
    for (const [i, day] of days.entries()) {
      const ofDay = this.#days.get(day)!
      signals += ofDay.signals
      firstLine = Math.min(firstLine, ofDay.firstLine)
      if (signals > this.#signals * MOST_OUTLIERS) return undefined
      const gapDays = day - (days[i + 1] ?? day) - 1
      if (gapDays >= OUTLIER_GAP_DAYS) return { signals, firstLine, gapDays }
    }
    return undefined
  }

  #addSignal({ number, signal }: LineWithSignal): void {
    const { accountId, occurredAt } = signal
    this.#signals++
    this.#unread?.add(signal)
    this.#from = Math.min(this.#from ?? occurredAt, occurredAt)
    this.#until = Math.max(this.#until ?? occurredAt, occurredAt)
    const day = this.#days.get(dayOf(occurredAt))
    if (day === undefined) this.#days.set(dayOf(occurredAt), { firstLine: number, signals: 1 })
    else day.signals++
    const end = this.#ends.get(accountId)
    if (end === undefined) this.#ends.set(accountId, { number, occurredAt })
    else if (occurredAt >= end.occurredAt) {
      end.number = number
      end.occurredAt = occurredAt
    } else {
      this.#outOfOrder++
      this.#firstOutOfOrder ??= { number, accountId, occurredAt, newer: { ...end } }
    }
  }
}

/** Outliers are at most this share of a file's signals. */
const MOST_OUTLIERS = 0.2
const OUTLIER_GAP_DAYS = 60
