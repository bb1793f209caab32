/** How often something happened, with one account in which it did. */
export interface Occurrence {
  readonly name: string
  readonly count: number
  readonly accountId: string
}

/** Adds up occurrences by name. */
export class Occurrences {
  readonly #byName = new Map<string, { count: number; readonly accountId: string }>()
  readonly #mostNames: number

  /** @param mostNames further names are not kept */
  constructor(mostNames = Number.POSITIVE_INFINITY) {
    this.#mostNames = mostNames
  }

  /** How many names there are. */
  get size(): number {
    return this.#byName.size
  }

  add(name: string, count: number, accountId: string): void {
    const known = this.#byName.get(name)
    if (known !== undefined) known.count += count
    else if (this.#byName.size < this.#mostNames) this.#byName.set(name, { count, accountId })
  }

  addAll(occurrences: readonly Occurrence[]): void {
    for (const { name, count, accountId } of occurrences) this.add(name, count, accountId)
  }

  /** The most frequent first. */
  list(): Occurrence[] {
    return [...this.#byName]
      .map(([name, { count, accountId }]) => ({ name, count, accountId }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  }
}
