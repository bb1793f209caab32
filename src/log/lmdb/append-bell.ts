/**
 * Wakes readers that wait for records of a partition. It does not remember past rings: check for records,
 * then call `wait` without an await in between.
 */
export class AppendBell {
  readonly #waiting = new Map<string, Set<() => void>>()

  ring(topic: string, partition: number): void {
    const name = bellName(topic, partition)
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    for (const wake of waiting ?? []) wake()
  }

  ringAll(): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const waiting of all) for (const wake of waiting) wake()
  }

  /** Resolves at the next ring. */
  wait(topic: string, partition: number): Promise<void> {
    const name = bellName(topic, partition)
    const waiting = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, waiting)
    return new Promise(resolve => waiting.add(resolve))
  }
}

function bellName(topic: string, partition: number): string {
  return `${partition}/${topic}`
}
