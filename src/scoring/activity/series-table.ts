import type { Series } from './series.ts'

/** Up to here a series is looked for one after the other: keys are mostly the same string objects, and a map takes more than what it finds. */
const FEW = 16

/**
 * The series of an account, in a list by ascending key, so that neither reading all of them nor writing them need sort. Most accounts have a handful; the list is of
 * their number, since most of them get no more.
 */
export class SeriesTable {
  #list: readonly Series[] = NONE
  /** Undefined: there are few. */
  #byKey: Map<string, Series> | undefined = undefined

  get size(): number {
    return this.#list.length
  }

  /** By ascending key. */
  get list(): readonly Series[] {
    return this.#list
  }

  get(key: string): Series | undefined {
    if (this.#byKey !== undefined) return this.#byKey.get(key)
    const list = this.#list
    for (let i = 0; i < list.length; i++) if (list[i]!.key === key) return list[i]
    return undefined
  }

  /** Of a key that is not there. */
  add(series: Series): void {
    const before = this.#list
    const list = new Array<Series>(before.length + 1)
    let i = before.length
    for (; i > 0 && before[i - 1]!.key > series.key; i--) list[i] = before[i - 1]!
    list[i] = series
    while (i-- > 0) list[i] = before[i]!
    this.#list = list
    if (this.#byKey !== undefined) this.#byKey.set(series.key, series)
    else if (list.length > FEW) this.#byKey = new Map(list.map(each => [each.key, each]))
  }

  /** Forgets the days before `firstDay`, and the series that have no others. */
  forgetBefore(firstDay: number): void {
    const before = this.#list
    for (let i = 0; i < before.length; i++) before[i]!.forgetBefore(firstDay)
    if (before.every(series => series.length > 0)) return
    for (const { key, length } of before) if (length === 0) this.#byKey?.delete(key)
    this.#list = before.filter(series => series.length > 0)
  }
}

/** Shared by all that are empty. */
const NONE: readonly Series[] = []
