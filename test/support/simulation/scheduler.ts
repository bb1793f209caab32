/** Planned events in the order of simulated time. Nothing in a simulation waits for a real timer. */
export class Scheduler {
  /** Simulated ms since the run began. */
  nowMs = 0
  /** Number of events that have happened. */
  steps = 0
  /** Ascending by time. Events of the same time keep the order in which they were planned. */
  readonly #planned: Planned[] = []

  after(delayMs: number, run: () => void): void {
    const atMs = this.nowMs + delayMs
    let low = 0
    let high = this.#planned.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#planned[middle]!.atMs <= atMs) low = middle + 1
      else high = middle
    }
    this.#planned.splice(low, 0, { atMs, run })
  }

  /**
   * Runs the next event, and everything that follows from it without waiting. Returns false if there is none.
   */
  async step(): Promise<boolean> {
    const next = this.#planned.shift()
    if (next === undefined) return false
    this.nowMs = next.atMs
    this.steps += 1
    next.run()
    await settled()
    return true
  }
}

interface Planned {
  readonly atMs: number
  readonly run: () => void
}

/** Resolves when no promise can continue by itself: Node runs all of them before an immediate. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
