import { type Hash64, lowBits } from '../../lib/hash.ts'

/** Up to this capacity ids are searched one by one, without an index. */
const FEW = 32

/**
 * Ids that an account applied, each with its time, oldest first. Most accounts hold one or two, busy ones a
 * thousand. So the ids are a ring in one array that doubles (id, time, id, time …), with an index once it is
 * large.
 */
export class RecentIds {
  readonly #limit: number
  #ring: number[] = NONE
  /** The ring's room, in entries: a power of 2, or 0. */
  #capacity = 0
  #oldest = 0
  #size = 0
  /**
   * A hash table with open addressing, twice as large as the ring. A value is an entry's place in the ring
   * plus 1; 0: free. Undefined: the ring is small.
   */
  #index: Uint32Array | undefined = undefined

  /** @param limit the most ids that are kept; then a new id replaces the oldest */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size >= this.#limit
  }

  /** The i-th oldest id. */
  id(i: number): Hash64 {
    return this.#ring[2 * this.#placeOf(i)]!
  }

  appliedAt(i: number): number {
    return this.#ring[2 * this.#placeOf(i) + 1]!
  }

  has(id: Hash64): boolean {
    return this.#lookUp(id) >= 0
  }

  /** Whether the id is there and was applied after `time`. */
  hasSince(id: Hash64, time: number): boolean {
    const place = this.#lookUp(id)
    return place >= 0 && this.#ring[2 * place + 1]! > time
  }

  /** Adds an id that is not there. Its `appliedAt` is not before any other's. */
  add(id: Hash64, appliedAt: number): void {
    if (this.#size >= this.#limit) this.#forgetOldest()
    if (this.#size === this.#capacity) this.#grow(Math.max(2, this.#capacity * 2))
    const place = this.#placeOf(this.#size)
    this.#ring[2 * place] = id
    this.#ring[2 * place + 1] = appliedAt
    this.#size++
    if (this.#index !== undefined) this.#index[this.#find(this.#index, id)] = place + 1
  }

  /** Makes room for `size` ids at once. */
  reserve(size: number): void {
    let capacity = Math.max(2, this.#capacity)
    while (capacity < size) capacity *= 2
    if (capacity > this.#capacity) this.#grow(capacity)
  }

  /** Forgets the ids that were applied at `time` or before. */
  forgetUntil(time: number): void {
    while (this.#size > 0 && this.#ring[2 * this.#oldest + 1]! <= time) this.#forgetOldest()
  }

  clear(): void {
    this.#ring = NONE
    this.#capacity = 0
    this.#oldest = 0
    this.#size = 0
    this.#index = undefined
  }

  /** An id's place in the ring; −1: it is not there. */
  #lookUp(id: Hash64): number {
    if (this.#index !== undefined) return this.#index[this.#find(this.#index, id)]! - 1
    const ring = this.#ring
    for (let i = this.#size - 1; i >= 0; i--) {
      const place = this.#placeOf(i)
      if (ring[2 * place] === id) return place
    }
    return -1
  }

  #placeOf(i: number): number {
    return (this.#oldest + i) & (this.#capacity - 1)
  }

  /** @param capacity a power of 2 */
  #grow(capacity: number): void {
    const ring = new Array<number>(2 * capacity)
    for (let i = 0; i < this.#size; i++) {
      ring[2 * i] = this.id(i)
      ring[2 * i + 1] = this.appliedAt(i)
    }
    this.#ring = ring
    this.#capacity = capacity
    this.#oldest = 0
    if (capacity <= FEW) return
    this.#index = new Uint32Array(2 * capacity)
    for (let i = 0; i < this.#size; i++) this.#index[this.#find(this.#index, this.id(i))] = i + 1
  }

  #forgetOldest(): void {
    if (this.#index !== undefined) this.#free(this.#index, this.#find(this.#index, this.id(0)))
    this.#oldest = (this.#oldest + 1) & (this.#capacity - 1)
    this.#size--
  }

  /** The place of an id in the index, or the free place where it would go. */
  #find(index: Uint32Array, id: Hash64): number {
    const mask = index.length - 1
    let at = lowBits(id) & mask
    while (index[at] !== 0 && this.#ring[2 * (index[at]! - 1)] !== id) at = (at + 1) & mask
    return at
  }

  /** Frees a place, and moves up the entries after it that would not be found any more. */
  #free(index: Uint32Array, freed: number): void {
    const mask = index.length - 1
    let free = freed
    for (let at = (free + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const wanted = lowBits(this.#ring[2 * (index[at]! - 1)]!) & mask
      // An entry must not move to a place before the one from which its search starts.
      if (((at - wanted) & mask) < ((at - free) & mask)) continue
      index[free] = index[at]!
      free = at
    }
    index[free] = 0
  }
}

/** The ring of all empty objects. It has no room, so nothing is written into it. */
const NONE: number[] = []
