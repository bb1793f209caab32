import type { Hash64 } from './hash.ts'
import type { InternedName } from './interned-texts.ts'
import type { PropertyValue, Signal, SignalKind } from './signal.ts'

const NO_PROPERTIES: Readonly<Record<string, PropertyValue>> = Object.freeze({})
const QUOTE = 0x22

/**
 * A signal whose texts are plain (ASCII, no escapes), and lie in bytes that do not change. Few read the text of an id or of a user, so those are made when they are first
 * asked for. Until it is forgotten it holds the bytes in memory, which may be a whole response of the broker: it is meant to be folded, not to be kept.
 */
export class ScannedSignal implements Signal {
  readonly accountId: string
  readonly quantityThousandths: number
  readonly occurredAt: number
  readonly idHash: Hash64
  readonly userHash: Hash64 | undefined
  readonly #name: InternedName
  readonly #bytes: Buffer
  readonly #idFrom: number
  readonly #userFrom: number
  #id: string | undefined
  #userId: string | undefined

  /** `idFrom`, `userFrom`: where the texts begin in `bytes`; each ends at the next quote. `userFrom` is −1 if the signal names no user. */
  constructor(
    name: InternedName,
    accountId: string,
    quantityThousandths: number,
    occurredAt: number,
    idHash: Hash64,
    userHash: Hash64 | undefined,
    bytes: Buffer,
    idFrom: number,
    userFrom: number,
  ) {
    this.accountId = accountId
    this.quantityThousandths = quantityThousandths
    this.occurredAt = occurredAt
    this.idHash = idHash
    this.userHash = userHash
    this.#name = name
    this.#bytes = bytes
    this.#idFrom = idFrom
    this.#userFrom = userFrom
    this.#id = undefined
    this.#userId = undefined
  }

  get kind(): SignalKind {
    return this.#name.kind
  }

  get name(): string {
    return this.#name.name
  }

  get seriesKey(): string {
    return this.#name.seriesKey
  }

  get properties(): Readonly<Record<string, PropertyValue>> {
    return NO_PROPERTIES
  }

  get id(): string {
    this.#id ??= textAt(this.#bytes, this.#idFrom)
    return this.#id
  }

  get userId(): string | undefined {
    if (this.#userFrom < 0) return undefined
    this.#userId ??= textAt(this.#bytes, this.#userFrom)
    return this.#userId
  }
}

function textAt(bytes: Buffer, from: number): string {
  let to = from
  while (bytes[to] !== QUOTE) to++
  return bytes.toString('latin1', from, to)
}
