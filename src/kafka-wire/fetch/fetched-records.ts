import { FetchedRecord, type RecordContext } from './fetched-record.ts'

/** The first size, in records; it doubles. */
const FIRST_ROOM = 512

/**
 * Records in columns, made into objects only when they are asked for, each time. Each partition keeps some
 * thousand records while it works on them; as objects they would outlive the garbage collector's young
 * generation. The objects may be kept while the list is filled again.
 */
export class FetchedRecords implements Iterable<FetchedRecord> {
  /** One for each batch of the log that holds some of the records. */
  #contexts: RecordContext[] = []
  #length = 0
  readonly #mostBytes: number
  #bytes = 0
  #contextOf = new Int32Array(FIRST_ROOM)
  #offsets = new Float64Array(FIRST_ROOM)
  #timestampDeltas = new Float64Array(FIRST_ROOM)
  #keysFrom = new Int32Array(FIRST_ROOM)
  #keysTo = new Int32Array(FIRST_ROOM)
  #valuesFrom = new Int32Array(FIRST_ROOM)
  #valuesTo = new Int32Array(FIRST_ROOM)
  #headersFrom = new Int32Array(FIRST_ROOM)

  /** @param mostBytes of keys and values; one record may be larger */
  constructor(mostBytes = Number.POSITIVE_INFINITY) {
    this.#mostBytes = mostBytes
  }

  get length(): number {
    return this.#length
  }

  /** Whether it holds `most` records, or its bytes. */
  isFull(most: number): boolean {
    return this.#length >= most || this.#bytes >= this.#mostBytes
  }

  /** Empties the list and releases the fetched bytes. */
  clear(): void {
    this.#length = 0
    this.#bytes = 0
    this.#contexts = []
  }

  /** Takes the same parameters as `FetchedRecord`. */
  add(
    context: RecordContext,
    offset: number,
    timestampDelta: number,
    keyFrom: number,
    keyTo: number,
    valueFrom: number,
    valueTo: number,
    headersFrom: number,
  ): void {
    const i = this.#length
    if (i === this.#offsets.length) this.#grow()
    if (this.#contexts.at(-1) !== context) this.#contexts.push(context)
    this.#contextOf[i] = this.#contexts.length - 1
    this.#offsets[i] = offset
    this.#timestampDeltas[i] = timestampDelta
    this.#keysFrom[i] = keyFrom
    this.#keysTo[i] = keyTo
    this.#valuesFrom[i] = valueFrom
    this.#valuesTo[i] = valueTo
    this.#headersFrom[i] = headersFrom
    this.#bytes += valueTo - valueFrom + keyTo - keyFrom
    this.#length++
  }

  /** Like `Array.at`. */
  at(index: number): FetchedRecord | undefined {
    const i = index < 0 ? this.#length + index : index
    if (i < 0 || i >= this.#length) return undefined
    return new FetchedRecord(
      this.#contexts[this.#contextOf[i]!]!,
      this.#offsets[i]!,
      this.#timestampDeltas[i]!,
      this.#keysFrom[i]!,
      this.#keysTo[i]!,
      this.#valuesFrom[i]!,
      this.#valuesTo[i]!,
      this.#headersFrom[i]!,
    )
  }

  *[Symbol.iterator](): Iterator<FetchedRecord> {
    for (let i = 0; i < this.#length; i++) yield this.at(i)!
  }

  #grow(): void {
    const room = 2 * this.#offsets.length
    this.#contextOf = enlarged(this.#contextOf, new Int32Array(room))
    this.#offsets = enlarged(this.#offsets, new Float64Array(room))
    this.#timestampDeltas = enlarged(this.#timestampDeltas, new Float64Array(room))
    this.#keysFrom = enlarged(this.#keysFrom, new Int32Array(room))
    this.#keysTo = enlarged(this.#keysTo, new Int32Array(room))
    this.#valuesFrom = enlarged(this.#valuesFrom, new Int32Array(room))
    this.#valuesTo = enlarged(this.#valuesTo, new Int32Array(room))
    this.#headersFrom = enlarged(this.#headersFrom, new Int32Array(room))
  }
}

/** Copies `present` to the beginning of `larger`. */
function enlarged<Column extends Int32Array | Float64Array>(present: Column, larger: Column): Column {
  larger.set(present)
  return larger
}
