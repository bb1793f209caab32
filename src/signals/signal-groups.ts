/**
 * The records of a batch by account: the accounts in the order in which they come first, the records of each in theirs. Accounts know nothing of each other, and one
 * whose records are applied one after the other is fetched from memory once: that saves an eighth of a batch of 2,000 signals, more than the grouping costs.
 */
export class SignalGroups {
  readonly #groupOf = new Map<string, number>()
  /** By group, the place of its first and of its last record. */
  readonly #first: number[] = []
  readonly #last: number[] = []
  /** By record, the place of the next of its group; 0: there is none. */
  readonly #next: Int32Array

  /** For `size` records, whose places are 0, 1, 2 … */
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
