import { describeError } from '../lib/errors.ts'
import { settlesWithin } from '../lib/waiting.ts'

/** Kafka or Redis that takes longer is reported as not answering. */
export const LONGEST_ANSWER_MS = 1_000

/**
 * A question of readiness to Kafka or Redis, which may take long to answer or to fail. Only one is under way
 * at a time, however often readiness is asked for.
 */
export class PatientCheck {
  readonly #ask: () => Promise<readonly string[]>
  #asking: { readonly since: number; readonly answered: Promise<void> } | undefined
  #last: readonly string[] = []

  /** @param ask gives the problems; its error is a problem too */
  constructor(ask: () => Promise<readonly string[]>) {
    this.#ask = ask
  }

  /**
   * The problems now. If the answer takes longer than `patienceMs`, the answer before counts. After 1 s, the
   * missing answer is the problem.
   */
  async problems(patienceMs: number): Promise<readonly string[]> {
    this.#asking ??= this.#begin()
    const { since, answered } = this.#asking
    const leftMs = Math.min(patienceMs, since + LONGEST_ANSWER_MS - performance.now())
    if (leftMs > 0 && (await settlesWithin(leftMs, answered))) return this.#last
    const waitedMs = performance.now() - since
    if (patienceMs < LONGEST_ANSWER_MS && waitedMs < LONGEST_ANSWER_MS) return this.#last
    return [`it has not answered for ${Math.max(1, Math.round(waitedMs / 1_000))} s`]
  }

  #begin(): { readonly since: number; readonly answered: Promise<void> } {
    const answered = this.#ask().then(
      found => {
        this.#last = found
      },
      (error: unknown) => {
        this.#last = [describeError(error)]
      },
    )
    return {
      since: performance.now(),
      answered: answered.finally(() => {
        this.#asking = undefined
      }),
    }
  }
}
