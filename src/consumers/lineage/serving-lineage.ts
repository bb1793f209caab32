import type { Logger } from '../../lib/logger.ts'
import type { FoundLineage, Lineages } from './lineages.ts'

/** A promotion shows after this long, at most. */
const LOOK_INTERVAL_MS = 1_000

/** The line that serves, looked for again and again; where the store is away, the one that was found last. */
export class ServingLineage {
  #current: FoundLineage
  readonly #lines: Lineages
  readonly #logger: Logger
  #isLooking = false
  #isKnown = false
  #timer: NodeJS.Timeout | undefined

  constructor(lineages: Lineages, logger: Logger) {
    this.#lines = lineages
    this.#logger = logger
    this.#current = lineages.original
  }

  get current(): FoundLineage {
    return this.#current
  }

  /** False until it was found once in a store that is whole: until then it may have been replaced long ago. */
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
      const lineage = await this.#lines.served()
      if (lineage !== this.#current)
        this.#logger.info(
          `${lineage.names.namespace} is served, in place of ${this.#current.names.namespace}`,
        )
      this.#current = lineage
      this.#isKnown ||= await this.#lines.areWhole(lineage)
    } catch {
      // Readiness tells that the store is away.
    } finally {
      this.#isLooking = false
    }
  }
}
