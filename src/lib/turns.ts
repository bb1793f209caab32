/**
 * Runs asynchronous work one piece at a time, in the order in which it came. A failed piece does not stop the
 * next.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as `work` does, which starts when all earlier work has settled. */
  take<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Resolves when all work so far has settled. */
  async settle(): Promise<void> {
    await this.#last
  }
}
