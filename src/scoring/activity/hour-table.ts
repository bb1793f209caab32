import { addCapped } from './buckets.ts'
import type { Series } from './series.ts'

/** Cells of a bucket: hour, series, count, sum in thousandths. */
const STRIDE = 4
type Cell = number | Series

/**
 * The hour buckets of all names of an account, in one array. They reach back only 48 hours: most accounts
 * have a few or none, and a table for each name would be mostly empty. Hours come and go without allocation.
 */
export class HourTable {
  /** Ascending by hour; buckets of the same hour are in any order. */
  #cells: Cell[] = NONE
  #length = 0

  /** The number of buckets. */
  get length(): number {
    return this.#length
  }

  hour(i: number): number {
    return this.#cells[STRIDE * i] as number
  }

  series(i: number): Series {
    return this.#cells[STRIDE * i + 1] as Series
  }

  count(i: number): number {
    return this.#cells[STRIDE * i + 2] as number
  }

  /** In thousandths. */
  sum(i: number): number {
    return this.#cells[STRIDE * i + 3] as number
  }

  /** The index of the first bucket whose hour is `≥ hour`. */
  indexFrom(hour: number): number {
    let low = 0
    let high = this.#length
    if (high > 0 && this.hour(high - 1) < hour) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.hour(middle) < hour) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * Adds one signal and its quantity. Returns whether the hour had a bucket before: of this name, of others
   * only, or none.
   */
  add(hour: number, series: Series, thousandths: number): 'same-name' | 'other-names' | 'nothing' {
    const first = this.indexFrom(hour)
    let i = first
    for (; i < this.#length && this.hour(i) === hour; i++) {
      if (this.series(i) !== series) continue
      this.#cells[STRIDE * i + 2] = this.count(i) + 1
      this.#cells[STRIDE * i + 3] = addCapped(this.sum(i), thousandths)
      return 'same-name'
    }
    this.#insert(i, hour, series, 1, thousandths)
    return i === first ? 'nothing' : 'other-names'
  }

  /** Inserts a bucket that is not there yet. */
  put(hour: number, series: Series, count: number, sum: number): void {
    this.#insert(this.indexFrom(hour), hour, series, count, sum)
  }

  forgetBefore(firstHour: number): void {
    if (this.#length === 0 || this.hour(0) >= firstHour) return
    const gone = this.indexFrom(firstHour)
    const left = this.#length - gone
    for (let k = 0; k < STRIDE * left; k++) this.#cells[k] = this.#cells[k + STRIDE * gone]!
    // Releases the series of the removed buckets.
    for (let k = STRIDE * left; k < STRIDE * this.#length; k++) this.#cells[k] = 0
    this.#length = left
  }

  /** For each series with buckets: their indexes, ascending by hour. */
  bySeries(): ReadonlyMap<Series, readonly number[]> {
    const found = new Map<Series, number[]>()
    for (let i = 0; i < this.#length; i++) {
      const others = found.get(this.series(i))
      if (others === undefined) found.set(this.series(i), [i])
      else others.push(i)
    }
    return found
  }

  #insert(i: number, hour: number, series: Series, count: number, sum: number): void {
    const end = STRIDE * this.#length
    let cells = this.#cells
    if (end === cells.length) {
      cells = new Array<Cell>(STRIDE * (this.#length + 1 + (this.#length >> 1)))
      for (let k = 0; k < STRIDE * i; k++) cells[k] = this.#cells[k]!
    }
    for (let k = end - 1; k >= STRIDE * i; k--) cells[k + STRIDE] = this.#cells[k]!
    cells[STRIDE * i] = hour
    cells[STRIDE * i + 1] = series
    cells[STRIDE * i + 2] = count
    cells[STRIDE * i + 3] = sum
    this.#cells = cells
    this.#length++
  }
}

/** The array of all empty tables. It has no room, so nothing is written into it. */
const NONE: Cell[] = []
