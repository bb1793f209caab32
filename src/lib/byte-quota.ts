/** A part of a quota that its holder may use until `release`. */
export interface Lease {
  /** It turned out to be more or less. More is taken at once, even beyond the quota. Nothing after `release`. */
  resize(bytes: number): void
  release(): void
}

/**
 * Bytes that many holders share. Who asks for more than is left waits, in the order of asking. One holder alone
 * gets what it asks for, however much.
 */
export class ByteQuota {
  readonly #total: number
  #leased = 0
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = []

  constructor(total: number) {
    this.#total = total
  }

  /** The bytes that holders have now. */
  get leased(): number {
    return this.#leased
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  async lease(bytes: number): Promise<Lease> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes))
      await new Promise<void>(begin => this.#waiting.push({ bytes, begin }))
    else this.#leased += bytes
    return this.#leaseOf(bytes)
  }

  #leaseOf(bytes: number): Lease {
    let held = bytes
    let isOver = false
    return {
      resize: now => {
        if (isOver) return
        this.#leased += now - held
        held = now
        this.#admit()
      },
      release: () => {
        this.#leased -= held
        held = 0
        isOver = true
        this.#admit()
      },
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#leased === 0 || this.#leased + bytes <= this.#total
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#hasRoom(next.bytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#leased += next.bytes
      next.begin()
    }
  }
}
