import { PartitionShares } from '../consumers/scorer/partition-shares.ts'
import { ByteQuota } from '../lib/byte-quota.ts'
import type { Logger } from '../lib/logger.ts'
import type { Config } from './config.ts'
import { type MemoryBudget, memoryBudget, memoryFacts } from './memory-budget.ts'

const MIB = 1024 * 1024

/** The memory of this process, or of one score thread, with those who share each part of it. */
export class ProcessMemory {
  readonly budget: MemoryBudget
  readonly accounts: PartitionShares
  readonly fetched: ByteQuota
  readonly requests: ByteQuota

  constructor(budget: MemoryBudget) {
    this.budget = budget
    this.accounts = new PartitionShares(budget.accountsBytes)
    this.fetched = new ByteQuota(budget.fetchedBytes)
    this.requests = new ByteQuota(budget.requestsBytes)
  }

  static ofThisThread(config: Config): ProcessMemory {
    return new ProcessMemory(memoryBudget(memoryFacts(config)))
  }
}

/** Lines about the same are at least this far apart. */
const INTERVAL_MS = 3_600_000
/** A few small steps at the start of a session mean nothing. */
const FEW_SHORTAGES = 100

/** Writes at most once an hour that memory for accounts is short. */
export class ShortageNotice {
  readonly #memory: ProcessMemory
  readonly #logger: Logger
  readonly #now: () => number
  #written = 0
  #writtenAt = Number.NEGATIVE_INFINITY

  /** @param now ms, of any clock that does not go back */
  constructor(memory: ProcessMemory, logger: Logger, now: () => number) {
    this.#memory = memory
    this.#logger = logger
    this.#now = now
  }

  /** Each step calls it, so that no timer is needed. */
  look(): void {
    const { accounts, budget } = this.#memory
    if (accounts.shortages - this.#written < FEW_SHORTAGES) return
    if (this.#now() - this.#writtenAt < INTERVAL_MS) return
    this.#written = accounts.shortages
    this.#writtenAt = this.#now()
    const ofAccounts = Math.floor(budget.accountsBytes / MIB)
    const all = Math.floor(budget.memoryBytes / MIB)
    this.#logger.warn(
      `memory is short: ${accounts.partitions} partitions share ${ofAccounts} MiB for accounts, so few records are folded at a time, and scoring is slower. Give the process more than ${all} MiB (${budget.reason}), or start more processes (docs/scale.md)`,
    )
  }
}
