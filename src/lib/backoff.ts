import { setTimeout as sleep } from 'node:timers/promises'

export interface BackoffOptions {
  readonly firstMs: number
  /** No limit if left out. */
  readonly longestMs?: number
  /** 2 if left out. */
  readonly factor?: number
  /** Ends a wait early, without an error. */
  readonly signal?: AbortSignal
}

/**
 * The waits between attempts, each longer than the one before: `firstMs`, times `factor`, up to `longestMs`.
 */
export class Backoff {
  readonly #firstMs: number
  readonly #longestMs: number
  readonly #factor: number
  readonly #signal: AbortSignal | undefined
  #nextMs: number

  constructor({ firstMs, longestMs = Number.POSITIVE_INFINITY, factor = 2, signal }: BackoffOptions) {
    this.#firstMs = firstMs
    this.#longestMs = longestMs
    this.#factor = factor
    this.#signal = signal
    this.#nextMs = firstMs
  }

  /** How long the next wait is. */
  get nextMs(): number {
    return this.#nextMs
  }

  /** Resolves after the next wait, or at once when the signal is aborted. Never rejects. */
  async wait(): Promise<void> {
    const waitMs = this.#nextMs
    this.#nextMs = Math.min(waitMs * this.#factor, this.#longestMs)
    const options = this.#signal === undefined ? {} : { signal: this.#signal }
    await sleep(waitMs, undefined, options).catch(() => {})
  }

  /** After a success: the next wait is the first again. */
  reset(): void {
    this.#nextMs = this.#firstMs
  }
}
