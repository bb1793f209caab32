import type { Series } from './series.ts'

/** The series of an account: found by key, and in a list by ascending key, so that neither reading all of them nor writing them need sort. */
export class SeriesTable {
  readonly #byKey = new Map<string, Series>()
  readonly #list: Series[] = []

  get size(): number {
    return this.#list.length
  }

  /** By ascending key. */
  get list(): readonly Series[] {
    return this.#list
  }

  get(key: string): Series | undefined {
    return this.#byKey.get(key)
  }

  /** Of a key that is not there. */
  add(series: Series): void {
    this.#byKey.set(series.key, series)
    const list = this.#list
    let i = list.length
    list.push(series)
    for (; i > 0 && list[i - 1]!.key > series.key; i--) list[i] = list[i - 1]!
    list[i] = series
  }

  /** Forgets the days before `firstDay`, and the series that have no others. */
  forgetBefore(firstDay: number): void {
    const list = this.#list
    let kept = 0
    for (let i = 0; i < list.length; i++) {
      const series = list[i]!
      series.forgetBefore(firstDay)
      if (series.length > 0) list[kept++] = series
      else this.#byKey.delete(series.key)
    }
    list.length = kept
  }
}
