/** A value that is read again when it is asked for and older than `maxAgeMs`. Those who ask at the same time share one read. */
export class FreshValue<Value> {
  readonly #read: () => Promise<Value>
  readonly #maxAgeMs: number
  #last: { readonly value: Value; readonly readAt: number } | undefined
  #reading: Promise<Value> | undefined

  constructor(read: () => Promise<Value>, maxAgeMs: number) {
    this.#read = read
    this.#maxAgeMs = maxAgeMs
  }

  get(): Promise<Value> {
    if (this.#last !== undefined && performance.now() - this.#last.readAt <= this.#maxAgeMs)
      return Promise.resolve(this.#last.value)
    return this.refresh()
  }

  /** Reads it anew, or joins a read that is under way. */
  refresh(): Promise<Value> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<Value> {
    // The value may be as old as the beginning of its read.
    const readAt = performance.now()
    const value = await this.#read()
    this.#last = { value, readAt }
    return value
  }
}
