/** What is to happen, in the order of simulated time. Nothing in a simulation waits for a real timer. */
export class Scheduler {
  /** Simulated ms since the run began. */
  nowMs = 0
  /** Events that have happened. */
  steps = 0
  /** Ascending by time; of the same time, the one that was planned first comes first. */
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

  /** Lets the next event happen, and all that follows from it without waiting. False: there is none. */
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

/** Resolves when no promise is left that can go on by itself: Node runs all of those before an immediate. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
