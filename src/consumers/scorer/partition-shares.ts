import { Turns } from '../../lib/turns.ts'

/** With less, most steps would be so small that their transactions and writes cost more than their fold. */
const LEAST_SHARE_BYTES = 8 * 1024 * 1024

/** A partition's share of the memory for accounts. */
export interface PartitionShare {
  /** It changes when partitions come or go. */
  readonly bytes: number
  /** Other partitions need the room between two turns: whatever can be dropped is dropped. */
  readonly isCrowded: boolean
  /** Runs `work` when there is room for one more partition at work. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Says what the partition's accounts take now, in bytes, about. */
  holds(bytes: number): void
  /** Says that there was too little memory for more than a few records at a time. */
  isShort(): void
  /** Runs work that nobody waits for, after that of other partitions. */
  inBackground(work: () => Promise<void>): Promise<void>
  /** Within `during`: gives the room to others until `wait` has settled. */
  outside<T>(wait: () => Promise<T>): Promise<T>
  /** The partition needs no share any more. */
  leave(): void
}

/**
 * The memory for accounts, in equal shares for the partitions of a thread. No share is below 8 MiB: more
 * partitions than that take turns, and keep nothing in between.
 */
export class PartitionShares {
  readonly #bytes: number
  readonly #leastShareBytes: number
  /** How many partitions may work at a time. */
  readonly #places: number
  #partitions = 0
  #working = 0
  readonly #waiting: (() => void)[] = []
  readonly #background = new Turns()
  readonly #held = new Map<PartitionShare, number>()
  #shortages = 0

  /**
   * @param bytes of all shares together
   * @param leastShareBytes for tests
   */
  constructor(bytes: number, leastShareBytes = LEAST_SHARE_BYTES) {
    this.#bytes = bytes
    this.#leastShareBytes = leastShareBytes
    this.#places = Math.max(1, Math.floor(bytes / leastShareBytes))
  }

  get isCrowded(): boolean {
    return this.#partitions > this.#places
  }

  /** How many there are now. */
  get partitions(): number {
    return this.#partitions
  }

  /** What all partitions' accounts take now, in bytes, about. */
  get heldBytes(): number {
    let bytes = 0
    for (const held of this.#held.values()) bytes += held
    return bytes
  }

  /** How often a partition waited for its turn, or folded only a few records at a time. */
  get shortages(): number {
    return this.#shortages
  }

  join(): PartitionShare {
    const shares = this
    shares.#partitions++
    let hasLeft = false
    const share: PartitionShare = {
      get bytes() {
        return Math.max(shares.#leastShareBytes, shares.#bytes / Math.max(1, shares.#partitions))
      },
      get isCrowded() {
        return shares.isCrowded
      },
      holds: bytes => {
        if (!hasLeft) shares.#held.set(share, bytes)
      },
      isShort: () => {
        shares.#shortages++
      },
      inBackground: work => shares.#background.take(work),
      during: work => shares.#during(work),
      outside: wait => shares.#outside(wait),
      leave: () => {
        if (!hasLeft) shares.#partitions--
        hasLeft = true
        shares.#held.delete(share)
      },
    }
    return share
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    await this.#takePlace()
    try {
      return await work()
    } finally {
      this.#givePlace()
    }
  }

  async #outside<T>(wait: () => Promise<T>): Promise<T> {
    this.#givePlace()
    try {
      return await wait()
    } finally {
      await this.#takePlace()
    }
  }

  /** In the order of the calls. */
  async #takePlace(): Promise<void> {
    if (this.#working < this.#places) {
      this.#working++
      return
    }
    this.#shortages++
    await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #givePlace(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#working--
    else next()
  }
}

/** Shares without a limit, for callers whose partitions are few and small. */
export function unlimitedShares(): PartitionShares {
  return new PartitionShares(Number.POSITIVE_INFINITY)
}
