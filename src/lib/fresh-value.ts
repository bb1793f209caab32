/** A value that `get` reads again once it is older than `maxAgeMs`. Simultaneous callers share one read. */
export class FreshValue<Value> {
  readonly #read: () => Promise<Value>
  readonly #maxAgeMs: number
  #last: { readonly value: Value; readonly readAt: number } | undefined
  #reading: { readonly value: Promise<Value>; readonly since: number } | undefined

  constructor(read: () => Promise<Value>, maxAgeMs: number) {
    this.#read = read
    this.#maxAgeMs = maxAgeMs
  }

  /** @param notBefore ms of `performance.now()`: the value is read at this time or later */
  async get(notBefore = Number.NEGATIVE_INFINITY): Promise<Value> {
    const earliest = Math.max(notBefore, performance.now() - this.#maxAgeMs)
    if (this.#last !== undefined && this.#last.readAt >= earliest) return this.#last.value
    if (this.#reading !== undefined && this.#reading.since < notBefore)
      await this.#reading.value.catch(() => {})
    return await this.refresh()
  }

  /** Reads it again, or joins a read that is under way. */
  refresh(): Promise<Value> {
    this.#reading ??= this.#begin()
    return this.#reading.value
  }

  #begin(): { readonly value: Promise<Value>; readonly since: number } {
    // The value may be as old as the start of its read.
    const since = performance.now()
    const value = this.#readNow(since).finally(() => {
      this.#reading = undefined
    })
    return { value, since }
  }

  async #readNow(readAt: number): Promise<Value> {
    const value = await this.#read()
    this.#last = { value, readAt }
    return value
  }
}
