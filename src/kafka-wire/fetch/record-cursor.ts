import type { RecordContext } from './fetched-record.ts'
import type { FetchedRecords } from './fetched-records.ts'
import { readVarint, varintSize } from './varint.ts'

/** Reads the records of one batch, in order. */
// record: length varint · attributes int8 · timestampDelta varlong · offsetDelta varint · key · value ·
// headers key, value: length varint (−1: null) · bytes
export class RecordCursor {
  readonly #context: RecordContext
  readonly #baseOffset: number
  /** LogAppendTime: all records have the batch's time. */
  readonly #isAppendTime: boolean
  #at: number
  #left: number

  constructor(
    context: RecordContext,
    batch: {
      readonly baseOffset: number
      readonly isAppendTime: boolean
      readonly at: number
      readonly count: number
    },
  ) {
    this.#context = context
    this.#baseOffset = batch.baseOffset
    this.#isAppendTime = batch.isAppendTime
    this.#at = batch.at
    this.#left = batch.count
  }

  get isAtEnd(): boolean {
    return this.#left === 0
  }

  /**
   * Adds the records with offsets from `from` up to `to`, excluded, until `into` is full at `most`.
   * @throws RangeError when a record does not end where its length says
   */
  read(into: FetchedRecords, most: number, from: number, to: number): void {
    const { bytes } = this.#context
    let at = this.#at
    let left = this.#left
    while (left > 0 && !into.isFull(most)) {
      const start = at
      const length = readVarint(bytes, at)
      at += varintSize(bytes, at)
      const end = at + length
      // A record's attributes: none are in use.
      at += 1
      const timestampDelta = readVarint(bytes, at)
      at += varintSize(bytes, at)
      const offset = this.#baseOffset + readVarint(bytes, at)
      at += varintSize(bytes, at)
      const keyLength = readVarint(bytes, at)
      at += varintSize(bytes, at)
      const keyFrom = keyLength < 0 ? -1 : at
      if (keyLength > 0) at += keyLength
      const keyTo = keyLength < 0 ? -1 : at
      const valueLength = readVarint(bytes, at)
      at += varintSize(bytes, at)
      const valueFrom = valueLength < 0 ? -1 : at
      if (valueLength > 0) at += valueLength
      const valueTo = valueLength < 0 ? -1 : at
      if (length < 0 || at >= end || end > bytes.length)
        throw new RangeError(
          `record ${offset} at byte ${start} does not end at byte ${end}, where its length says`,
        )
      if (offset >= from && offset < to)
        into.add(
          this.#context,
          offset,
          this.#isAppendTime ? 0 : timestampDelta,
          keyFrom,
          keyTo,
          valueFrom,
          valueTo,
          bytes[at] === 0 ? -1 : at,
        )
      at = end
      left--
    }
    this.#at = at
    this.#left = left
  }
}
