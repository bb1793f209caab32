import type { Hash64 } from '../../lib/hash.ts'
import type { PropertyValue, Signal, SignalKind } from '../signal.ts'
import type { InternedName } from './interned-texts.ts'

const NO_PROPERTIES: Readonly<Record<string, PropertyValue>> = Object.freeze({})
const NO_NAME: InternedName = { kind: 'usage', name: '', seriesKey: 'usage:' }
const NO_BYTES = new Uint8Array() as Buffer
const QUOTE = 0x22

/**
 * A signal with plain texts (ASCII, no escapes) in bytes that must not change. The texts of id and user are
 * seldom read, so they are made at the first read. The object is reused: `set` turns it into another signal,
 * so fold it and do not keep it.
 */
export class ScannedSignal implements Signal {
  accountId = ''
  quantityThousandths = 0
  occurredAt = 0
  idHash: Hash64 = 0
  /** Kind, name and series. */
  internedName = NO_NAME
  /** Contain the texts. */
  bytes = NO_BYTES
  /** Where the texts begin in `bytes`. Each ends at the next quote. `userFrom` is −1 if there is no user. */
  idFrom = 0
  userFrom = -1
  /** Means nothing if the signal names no user. */
  hashOfUser: Hash64 = 0
  #id: string | undefined = undefined
  #userId: string | undefined = undefined

  set(
    name: InternedName,
    accountId: string,
    quantityThousandths: number,
    occurredAt: number,
    idHash: Hash64,
    hashOfUser: Hash64,
    bytes: Buffer,
    idFrom: number,
    userFrom: number,
  ): void {
    this.internedName = name
    this.accountId = accountId
    this.quantityThousandths = quantityThousandths
    this.occurredAt = occurredAt
    this.idHash = idHash
    this.hashOfUser = hashOfUser
    this.bytes = bytes
    this.idFrom = idFrom
    this.userFrom = userFrom
    this.#id = undefined
    this.#userId = undefined
  }

  get userHash(): Hash64 | undefined {
    return this.userFrom < 0 ? undefined : this.hashOfUser
  }

  get kind(): SignalKind {
    return this.internedName.kind
  }

  get name(): string {
    return this.internedName.name
  }

  get seriesKey(): string {
    return this.internedName.seriesKey
  }

  get properties(): Readonly<Record<string, PropertyValue>> {
    return NO_PROPERTIES
  }

  get id(): string {
    this.#id ??= textAt(this.bytes, this.idFrom)
    return this.#id
  }

  get userId(): string | undefined {
    if (this.userFrom < 0) return undefined
    this.#userId ??= textAt(this.bytes, this.userFrom)
    return this.#userId
  }
}

function textAt(bytes: Buffer, from: number): string {
  let to = from
  while (bytes[to] !== QUOTE) to++
  return bytes.toString('latin1', from, to)
}
