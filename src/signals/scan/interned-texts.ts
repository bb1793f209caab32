import { isAsciiAt } from '../../lib/ascii.ts'
import type { SignalKind } from '../signal.ts'

/** Longer texts are not kept, so that a full table of account ids takes at most 5 MiB. */
const LONGEST_KEPT = 64

/**
 * Returns the same string object for a text that comes again. Each text has one slot, which holds the latest
 * text that fell into it. Texts come from outside: however many differ, they take no more memory.
 */
export class InternedTexts {
  readonly #texts: (string | undefined)[]
  readonly #mask: number

  /** @param slots a power of two */
  constructor(slots: number) {
    this.#texts = new Array<string | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /**
   * The text in the ASCII bytes from `from` to before `to`.
   * @param hash 32 bits that depend on these bytes alone
   */
  textOf(hash: number, bytes: Buffer, from: number, to: number): string {
    const slot = slotOf(hash, this.#mask)
    const found = this.#texts[slot]
    if (found !== undefined && isAsciiAt(bytes, from, to, found)) return found
    const text = bytes.toString('latin1', from, to)
    if (to - from <= LONGEST_KEPT) this.#texts[slot] = text
    return text
  }
}

/** The name of a signal with its kind, and the key of the series in which it counts. */
export interface InternedName {
  readonly kind: SignalKind
  readonly name: string
  /** `kind:name` */
  readonly seriesKey: string
}

/** As `InternedTexts`, for names with their kinds. */
export class InternedNames {
  readonly #names: (InternedName | undefined)[]
  readonly #mask: number

  /** @param slots a power of two */
  constructor(slots: number) {
    this.#names = new Array<InternedName | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /**
   * The name in the ASCII bytes from `from` to before `to`.
   * @param hash 32 bits that depend on these bytes alone
   */
  nameOf(kind: SignalKind, hash: number, bytes: Buffer, from: number, to: number): InternedName {
    // All kinds differ in length, so one name has another slot for each kind.
    const slot = slotOf(hash + kind.length, this.#mask)
    const found = this.#names[slot]
    if (found !== undefined && found.kind === kind && isAsciiAt(bytes, from, to, found.name)) return found
    const name = bytes.toString('latin1', from, to)
    const made: InternedName = { kind, name, seriesKey: flatten(`${kind}:${name}`) }
    if (to - from <= LONGEST_KEPT) this.#names[slot] = made
    return made
  }
}

/** The high bits of a lane are mixed better, so they take part in choosing the slot. */
function slotOf(lane: number, mask: number): number {
  return (lane ^ (lane >>> 15)) & mask
}

/**
 * V8 keeps a concatenated text in parts until it is read. As a property's name it becomes one piece, and
 * equal texts become one object.
 */
function flatten(text: string): string {
  return Object.keys({ [text]: 0 })[0]!
}
