import { dayOfCivil } from '../rfc3339.ts'
import { DAY_MS, HOUR_MS } from '../time.ts'

const DASH = 0x2d
const DOT = 0x2e
const COLON = 0x3a
const LETTER_T = 0x54
const LETTER_Z = 0x5a

/** Lengths in characters. */
export const WITHOUT_FRACTION = 'YYYY-MM-DDTHH:MM:SSZ'.length
export const WITH_MS = 'YYYY-MM-DDTHH:MM:SS.mmmZ'.length

/**
 * Reads times of exactly the forms `YYYY-MM-DDTHH:MM:SSZ` and `YYYY-MM-DDTHH:MM:SS.mmmZ` from their bytes,
 * without making a text. It remembers the latest day, since the times of a log are close together.
 */
export class PlainTimeReader {
  #year = 0
  #monthAndDay = 0
  #startOfDay = -1

  /** ms since 1970. −1: a day that does not exist, a time before 1970, a leap second or any other form. */
  read(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from
    if (length !== WITH_MS && length !== WITHOUT_FRACTION) return -1
    const isPunctuated =
      bytes[from + 4] === DASH &&
      bytes[from + 7] === DASH &&
      bytes[from + 10] === LETTER_T &&
      bytes[from + 13] === COLON &&
      bytes[from + 16] === COLON &&
      bytes[to - 1] === LETTER_Z
    if (!isPunctuated) return -1
    const startOfDay = this.#dayAt(bytes, from)
    const hour = twoDigits(bytes, from + 11)
    const minute = twoDigits(bytes, from + 14)
    const second = twoDigits(bytes, from + 17)
    const ms = length === WITH_MS ? fractionMs(bytes, from + 19) : 0
    const isTime =
      hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59 && ms >= 0
    if (!isTime || startOfDay < 0) return -1
    return startOfDay + hour * HOUR_MS + minute * 60_000 + second * 1000 + ms
  }

  #dayAt(bytes: Uint8Array, from: number): number {
    const century = twoDigits(bytes, from)
    const yearInCentury = twoDigits(bytes, from + 2)
    const month = twoDigits(bytes, from + 5)
    const day = twoDigits(bytes, from + 8)
    if (century < 0 || yearInCentury < 0 || month < 0 || day < 0) return -1
    const year = century * 100 + yearInCentury
    const monthAndDay = month * 100 + day
    if (year === this.#year && monthAndDay === this.#monthAndDay) return this.#startOfDay
    this.#year = year
    this.#monthAndDay = monthAndDay
    this.#startOfDay = (dayOfCivil(year, month, day) ?? -1) * DAY_MS
    return this.#startOfDay
  }
}

/** −1: one of them is not a digit. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48
  const ones = bytes[at + 1]! - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** The milliseconds of `.mmm`; −1: it has another form. */
function fractionMs(bytes: Uint8Array, at: number): number {
  const tens = twoDigits(bytes, at + 1)
  const ones = bytes[at + 3]! - 48
  return bytes[at] === DOT && tens >= 0 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}
