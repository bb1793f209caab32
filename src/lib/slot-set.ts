/** A set of small whole numbers that is filled and cleared many times without allocating. */
export class SlotSet {
  readonly #has: Uint8Array
  readonly #members: number[] = []
  #size = 0

  /** @param limit above all members */
  constructor(limit: number) {
    this.#has = new Uint8Array(limit)
  }

  get size(): number {
    return this.#size
  }

  /** The member that was added i-th. */
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
