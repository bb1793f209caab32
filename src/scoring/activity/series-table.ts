import type { Series } from './series.ts'

/**
 * Up to this many series are searched one by one. Keys are mostly the same string objects, which compare
 * fast, and a map would take more memory than the series.
 */
const FEW = 16

/**
 * The series of an account, in a list by ascending key: neither reading nor writing all of them needs to
 * sort. Most accounts have a handful and get no more, so the list has no spare room.
 */
export class SeriesTable {
  #list: readonly Series[] = NONE
  /** Undefined: there are few series. */
  #byKey: Map<string, Series> | undefined = undefined

  get size(): number {
    return this.#list.length
  }

  /** Ascending by key. */
  get list(): readonly Series[] {
    return this.#list
  }

  get(key: string): Series | undefined {
    if (this.#byKey !== undefined) return this.#byKey.get(key)
    const list = this.#list
    for (let i = 0; i < list.length; i++) if (list[i]!.key === key) return list[i]
    return undefined
  }

  /** Adds a series whose key is not there yet. */
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

  /** Forgets the days before `firstDay`, and the series that have no other days. */
  forgetBefore(firstDay: number): void {
    const before = this.#list
    for (let i = 0; i < before.length; i++) before[i]!.days.forgetBefore(firstDay)
    if (before.every(series => series.days.length > 0)) return
    for (const { key, days } of before) if (days.length === 0) this.#byKey?.delete(key)
    this.#list = before.filter(series => series.days.length > 0)
  }
}

/** The list of all empty tables. */
const NONE: readonly Series[] = []
