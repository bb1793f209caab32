/** What a record of the first step needs, for all that is known. */
const FIRST_RECORD_BYTES = 16 * 1024
/** A step may be this many times as large as the one before. */
const MOST_GROWTH = 2

/** How many records the next step of a partition takes, so that it needs about as much memory as it may. */
export class StepSize {
  #records: number

  /** @param wantedBytes of the first step */
  constructor(wantedBytes: number) {
    this.#records = Math.max(1, Math.floor(wantedBytes / FIRST_RECORD_BYTES))
  }

  get records(): number {
    return this.#records
  }

  /** A step of `records` needed `bytes`; `wantedBytes` are right. */
  adapt(records: number, bytes: number, wantedBytes: number): void {
    const fitting = Math.floor((records * wantedBytes) / Math.max(1, bytes))
    const most = MOST_GROWTH * Math.max(records, this.#records)
    this.#records = Math.max(1, Math.min(fitting, most))
  }
}
