import { ByteQuota, type Lease } from '../../lib/byte-quota.ts'
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
  /** A partition at work leases the least share. */
  readonly #atWork: ByteQuota
  #partitions = 0
  readonly #background = new Turns()
  readonly #held = new Map<PartitionShare, number>()
  #smallSteps = 0

  /**
   * @param bytes of all shares together
   * @param leastShareBytes for tests
   */
  constructor(bytes: number, leastShareBytes = LEAST_SHARE_BYTES) {
    this.#bytes = bytes
    this.#leastShareBytes = leastShareBytes
    this.#places = Math.max(1, Math.floor(bytes / leastShareBytes))
    this.#atWork = new ByteQuota(bytes)
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
    return this.#atWork.shortages + this.#smallSteps
  }

  join(): PartitionShare {
    const shares = this
    shares.#partitions++
    let hasLeft = false
    let place: Lease | undefined
    const takePlace = async () => {
      place = await shares.#atWork.lease(shares.#leastShareBytes)
    }
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
        shares.#smallSteps++
      },
      inBackground: work => shares.#background.take(work),
      during: async work => {
        await takePlace()
        try {
          return await work()
        } finally {
          place?.release()
        }
      },
      outside: async wait => {
        place?.release()
        try {
          return await wait()
        } finally {
          await takePlace()
        }
      },
      leave: () => {
        if (!hasLeft) shares.#partitions--
        hasLeft = true
        shares.#held.delete(share)
      },
    }
    return share
  }
}

/** Shares without a limit, for callers whose partitions are few and small. */
export function unlimitedShares(): PartitionShares {
  return new PartitionShares(Number.POSITIVE_INFINITY)
}
