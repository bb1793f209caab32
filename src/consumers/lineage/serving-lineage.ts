import type { Logger } from '../../lib/logger.ts'
import type { FoundLineage, Lineages } from './lineages.ts'

/** A promotion is noticed after this time at the latest. */
const LOOK_INTERVAL_MS = 1_000

/** The serving lineage, looked for every second. While the store is unavailable, it is the one found last. */
export class ServingLineage {
  #current: FoundLineage
  readonly #lineages: Lineages
  readonly #logger: Logger
  #isLooking = false
  #isKnown = false
  #timer: NodeJS.Timeout | undefined

  constructor(lineages: Lineages, logger: Logger) {
    this.#lineages = lineages
    this.#logger = logger
    this.#current = lineages.original
  }

  get current(): FoundLineage {
    return this.#current
  }

  /**
   * False until it was found once in a store that misses no promotion: before that, it may have been replaced
   * long ago.
   */
  get isKnown(): boolean {
    return this.#isKnown
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS)
    void this.#look()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const lineage = await this.#lineages.served()
      if (lineage !== this.#current)
        this.#logger.info(
          `${lineage.names.namespace} is served, in place of ${this.#current.names.namespace}`,
        )
      this.#current = lineage
      // The stores may have become whole, and shown a promotion, after the lineage was found.
      this.#isKnown ||=
        (await this.#lineages.areWhole(lineage)) && (await this.#lineages.served()) === lineage
    } catch {
      // Readiness reports that the store is unavailable.
    } finally {
      this.#isLooking = false
    }
  }
}
