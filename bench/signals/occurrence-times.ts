/** When signals occurred, by ids that end in a number, as those of the bench and of the Kafka Streams job do (`s-17`, `e-17`). */
export class OccurrenceTimes {
  readonly #times: Float64Array

  /** `signals`: above every number. */
  constructor(signals: number) {
    this.#times = new Float64Array(signals).fill(Number.NaN)
  }

  set(signalId: string, occurredAt: number): void {
    this.#times[numberOf(signalId)] = occurredAt
  }

  /** ms. @throws Error for a signal that is not known */
  get(signalId: string): number {
    const time = this.#times[numberOf(signalId)]
    if (time === undefined || Number.isNaN(time)) throw new Error(`the signal ${signalId} is not known`)
    return time
  }
}

/** The number at the end of a signal's id. */
export function numberOf(signalId: string): number {
  return Number(signalId.slice(signalId.lastIndexOf('-') + 1))
}
