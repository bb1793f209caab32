import type { Logger } from '../../lib/logger.ts'
import type { FoundLine, Lines } from './lineages.ts'

/** A promotion shows after this long, at most. */
const LOOK_INTERVAL_MS = 1_000

/** The line that serves, looked for again and again; where the store is away, the one that was found last. */
export class ServedLine {
  #current: FoundLine
  readonly #lines: Lines
  readonly #logger: Logger
  #isLooking = false
  #isKnown = false
  #timer: NodeJS.Timeout | undefined

  constructor(lines: Lines, logger: Logger) {
    this.#lines = lines
    this.#logger = logger
    this.#current = lines.original
  }

  get current(): FoundLine {
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
      const found = await this.#lines.served()
      if (found !== this.#current)
        this.#logger.info(`${found.place.namespace} is served, in place of ${this.#current.place.namespace}`)
      this.#current = found
      this.#isKnown ||= await this.#lines.areWhole(found)
    } catch {
      // Readiness tells that the store is away.
    } finally {
      this.#isLooking = false
    }
  }
}
