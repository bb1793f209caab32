/**
 * When each signal occurred. Its id must end in a number, as the ids of the bench and of the Kafka Streams
 * job do (`s-17`, `e-17`).
 */
export class OccurrenceTimes {
  readonly #times: Float64Array

  /** @param signals above every number in an id */
  constructor(signals: number) {
    this.#times = new Float64Array(signals).fill(Number.NaN)
  }

  set(signalId: string, occurredAt: number): void {
    this.#times[numberOf(signalId)] = occurredAt
  }

  /**
   * Returns ms.
   * @throws Error for an unknown signal
   */
  get(signalId: string): number {
    const time = this.#times[numberOf(signalId)]
    if (time === undefined || Number.isNaN(time)) throw new Error(`unknown signal ${signalId}`)
    return time
  }
}

/** The number at the end of a signal's id. */
export function numberOf(signalId: string): number {
  return Number(signalId.slice(signalId.lastIndexOf('-') + 1))
}
