/** A set of small whole numbers that is filled and emptied again and again, without making anything anew. */
export class SlotSet {
  readonly #has: Uint8Array
  readonly #members: number[] = []
  #size = 0

  /** For the numbers below `limit`. */
  constructor(limit: number) {
    this.#has = new Uint8Array(limit)
  }

  get size(): number {
    return this.#size
  }

  /** The i-th that was added. */
  at(i: number): number {
    return this.#members[i]!
  }

  has(slot: number): boolean {
    return this.#has[slot] === 1
  }

  add(slot: number): void {
    if (this.#has[slot] === 1) return
    this.#has[slot] = 1
    this.#members[this.#size++] = slot
  }

  clear(): void {
    for (let i = 0; i < this.#size; i++) this.#has[this.#members[i]!] = 0
    this.#size = 0
  }
}
