import { enlarged } from '../../lib/enlarged.ts'
import type { Hash64 } from '../../lib/hash.ts'
import type { Signal } from '../signal.ts'
import type { SignalTable } from '../signal-table.ts'
import type { InternedName } from './interned-texts.ts'
import { ScannedSignal } from './scanned-signal.ts'

/** The first capacity, in signals. It doubles when it is full. */
const FIRST_ROOM = 512

/**
 * Scanned signals in columns. A batch of thousands is kept while its accounts are loaded. As objects, most
 * signals would outlive the collector's young generation, which cost a seventh of all time.
 */
export class ScannedSignals implements SignalTable {
  readonly #signal = new ScannedSignal()
  #length = 0
  #offsets = new Float64Array(FIRST_ROOM)
  #timestamps = new Float64Array(FIRST_ROOM)
  #occurredAts = new Float64Array(FIRST_ROOM)
  #quantities = new Float64Array(FIRST_ROOM)
  #idHashes = new Float64Array(FIRST_ROOM)
  #userHashes = new Float64Array(FIRST_ROOM)
  #idsFrom = new Int32Array(FIRST_ROOM)
  #usersFrom = new Int32Array(FIRST_ROOM)
  #bytesOf = new Int32Array(FIRST_ROOM)
  #histories = new Uint8Array(FIRST_ROOM)
  #accountIds: string[] = []
  #names: InternedName[] = []
  /** Consecutive signals are mostly in the same bytes. */
  #bytes: Buffer[] = []

  get length(): number {
    return this.#length
  }

  /** Removes all signals, and releases their bytes. */
  clear(): void {
    this.#length = 0
    this.#bytes = []
  }

  /** Copies the signal, but not its bytes: the signal may be reused afterwards, the bytes must not change. */
  add(signal: ScannedSignal, offset: number, timestamp: number, isHistory: boolean): void {
    const i = this.#length
    if (i === this.#offsets.length) this.#grow()
    if (this.#bytes.at(-1) !== signal.bytes) this.#bytes.push(signal.bytes)
    this.#offsets[i] = offset
    this.#timestamps[i] = timestamp
    this.#histories[i] = isHistory ? 1 : 0
    this.#occurredAts[i] = signal.occurredAt
    this.#quantities[i] = signal.quantityThousandths
    this.#idHashes[i] = signal.idHash
    this.#userHashes[i] = signal.hashOfUser
    this.#idsFrom[i] = signal.idFrom
    this.#usersFrom[i] = signal.userFrom
    this.#bytesOf[i] = this.#bytes.length - 1
    this.#accountIds[i] = signal.accountId
    this.#names[i] = signal.internedName
    this.#length++
  }

  offset(place: number): number {
    return this.#offsets[place]!
  }

  timestamp(place: number): number {
    return this.#timestamps[place]!
  }

  isHistory(place: number): boolean {
    return this.#histories[place] === 1
  }

  accountId(place: number): string {
    return this.#accountIds[place]!
  }

  idHash(place: number): Hash64 {
    return this.#idHashes[place]!
  }

  userHash(place: number): Hash64 | undefined {
    return this.#usersFrom[place]! < 0 ? undefined : this.#userHashes[place]!
  }

  signal(place: number): Signal {
    this.#signal.set(
      this.#names[place]!,
      this.#accountIds[place]!,
      this.#quantities[place]!,
      this.#occurredAts[place]!,
      this.#idHashes[place]!,
      this.#userHashes[place]!,
      this.#bytes[this.#bytesOf[place]!]!,
      this.#idsFrom[place]!,
      this.#usersFrom[place]!,
    )
    return this.#signal
  }

  #grow(): void {
    const room = 2 * this.#offsets.length
    this.#offsets = enlarged(this.#offsets, new Float64Array(room))
    this.#timestamps = enlarged(this.#timestamps, new Float64Array(room))
    this.#occurredAts = enlarged(this.#occurredAts, new Float64Array(room))
    this.#quantities = enlarged(this.#quantities, new Float64Array(room))
    this.#idHashes = enlarged(this.#idHashes, new Float64Array(room))
    this.#userHashes = enlarged(this.#userHashes, new Float64Array(room))
    this.#idsFrom = enlarged(this.#idsFrom, new Int32Array(room))
    this.#usersFrom = enlarged(this.#usersFrom, new Int32Array(room))
    this.#bytesOf = enlarged(this.#bytesOf, new Int32Array(room))
    this.#histories = enlarged(this.#histories, new Uint8Array(room))
  }
}
