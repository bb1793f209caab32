import { deferred } from './deferred.ts'
import { settlesWithin } from './waiting.ts'

/** A part of a quota that its holder may use until `release`. */
export interface Lease {
  /**
   * It turned out to be more or less. More is taken at once, even beyond the quota. Nothing after `release`.
   */
  resize(bytes: number): void
  release(): void
}

/**
 * Bytes that many holders share. Who asks for more than is left waits, in the order of asking. One holder
 * alone gets what it asks for, however much.
 */
export class ByteQuota {
  readonly #total: number
  #leased = 0
  readonly #waiting: Turn[] = []
  #shortages = 0

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

  /** How often somebody had to wait. */
  get shortages(): number {
    return this.#shortages
  }

  /** Waits as long as it takes. */
  async lease(bytes: number): Promise<Lease> {
    await this.#queue(bytes).begun
    return this.#leaseOf(bytes)
  }

  /** Undefined: there was no room for so long. */
  async leaseWithin(limitMs: number, bytes: number): Promise<Lease | undefined> {
    const turn = this.#queue(bytes)
    const isWaiting = () => this.#waiting.includes(turn)
    if (isWaiting()) await settlesWithin(limitMs, turn.begun)
    if (!isWaiting()) return this.#leaseOf(bytes)
    this.#waiting.splice(this.#waiting.indexOf(turn), 1)
    // It may have been the first, and larger than the next.
    this.#admit()
    return undefined
  }

  #queue(bytes: number): Turn {
    const { promise: begun, resolve: begin } = deferred()
    const turn = { bytes, begun, begin }
    this.#waiting.push(turn)
    this.#admit()
    if (this.#waiting.includes(turn)) this.#shortages++
    return turn
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

interface Turn {
  readonly bytes: number
  readonly begun: Promise<void>
  readonly begin: () => void
}
