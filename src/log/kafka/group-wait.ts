/** Heartbeats go out once a second; a busy process sends one a few seconds late. */
const SILENCE_MS = 5_000

/**
 * Since when a process has no place in its group, and why: it has not joined, the group distributes its
 * partitions, or heartbeats stay without an answer. Meanwhile it may read nothing.
 */
export class GroupWait {
  readonly #group: string
  readonly #now: () => number
  #waiting: { readonly sinceMs: number; readonly problem: string } | undefined
  #heardAtMs: number

  constructor(group: string, now: () => number) {
    this.#group = group
    this.#now = now
    this.#heardAtMs = now()
    this.begin(`the group ${group} is not joined yet`)
  }

  /** Without a problem of its own, a wait under way keeps its problem. */
  begin(problem?: string): void {
    const sinceMs = this.#waiting?.sinceMs ?? this.#now()
    const known =
      this.#waiting?.problem ??
      `the group ${this.#group} distributes its partitions, and waits for all of its members`
    this.#waiting = { sinceMs, problem: problem ?? known }
  }

  /** The group has given this process its partitions. */
  end(): void {
    this.#waiting = undefined
    this.heard()
  }

  /** The group has answered a heartbeat. */
  heard(): void {
    this.#heardAtMs = this.#now()
  }

  /** The time since the last answer, ms. */
  silentMs(): number {
    return this.#now() - this.#heardAtMs
  }

  problem(): string | undefined {
    if (this.#waiting !== undefined) return this.#waiting.problem
    const silentMs = this.silentMs()
    return silentMs > SILENCE_MS
      ? `the group ${this.#group} has not answered for ${Math.round(silentMs / 1_000)} s`
      : undefined
  }

  /** How long it waits already; 0: it does not wait. */
  ms(): number {
    if (this.#waiting !== undefined) return this.#now() - this.#waiting.sinceMs
    const silentMs = this.silentMs()
    return silentMs > SILENCE_MS ? silentMs : 0
  }
}
