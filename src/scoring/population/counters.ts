/** A change of one counter. A counter is a whole number, found by its book and its field. */
export interface CounterChange {
  readonly book: string
  readonly field: string
  /** Not 0. */
  readonly delta: number
}

/** The counters of a book, by field. A missing counter is 0. */
export type CounterBook = ReadonlyMap<string, number>

/** Adds up changes, so that each counter is written once. */
export class CounterChanges {
  readonly #books = new Map<string, Map<string, number>>()

  add(book: string, field: string, delta: number): void {
    if (delta === 0) return
    let fields = this.#books.get(book)
    if (fields === undefined) {
      fields = new Map()
      this.#books.set(book, fields)
    }
    fields.set(field, (fields.get(field) ?? 0) + delta)
  }

  addAll(changes: readonly CounterChange[]): void {
    for (const { book, field, delta } of changes) this.add(book, field, delta)
  }

  /** The changes that do not add up to 0. */
  list(): CounterChange[] {
    const changes: CounterChange[] = []
    for (const [book, fields] of this.#books) {
      for (const [field, delta] of fields) if (delta !== 0) changes.push({ book, field, delta })
    }
    return changes
  }
}
