import { isAsciiAt } from '../lib/ascii.ts'
import type { SignalKind } from './signal.ts'

/** Longer texts are made anew each time, so that a full table of account ids takes 5 MiB at most. */
const LONGEST_KEPT = 64

/**
 * Gives texts that come again the same string object, without making it anew. Each text has one slot, and the one that came last has it: texts come from the
 * outside, and any number of different ones takes no more memory.
 */
export class InternedTexts {
  readonly #texts: (string | undefined)[]
  readonly #mask: number

  /** `slots`: a power of two. */
  constructor(slots: number) {
    this.#texts = new Array<string | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /** Of ASCII bytes; `to` is excluded. `hash`: 32 bits, of them and nothing else. */
  textOf(hash: number, bytes: Buffer, from: number, to: number): string {
    const slot = slotOf(hash, this.#mask)
    const found = this.#texts[slot]
    if (found !== undefined && isAsciiAt(bytes, from, to, found)) return found
    const text = bytes.toString('latin1', from, to)
    if (to - from <= LONGEST_KEPT) this.#texts[slot] = text
    return text
  }
}

/** The name of a signal, and the key of the series in which it counts. */
export interface InternedName {
  readonly kind: SignalKind
  readonly name: string
  /** `kind:name`. */
  readonly seriesKey: string
}

/** As `InternedTexts`, of names with their kinds. */
export class InternedNames {
  readonly #names: (InternedName | undefined)[]
  readonly #mask: number

  /** `slots`: a power of two. */
  constructor(slots: number) {
    this.#names = new Array<InternedName | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  /** Of the name's ASCII bytes; `to` is excluded. `hash`: 32 bits, of them and nothing else. */
  nameOf(kind: SignalKind, hash: number, bytes: Buffer, from: number, to: number): InternedName {
    // Kinds differ in their length: the same name of another kind has another slot.
    const slot = slotOf(hash + kind.length, this.#mask)
    const found = this.#names[slot]
    if (found !== undefined && found.kind === kind && isAsciiAt(bytes, from, to, found.name)) return found
    const name = bytes.toString('latin1', from, to)
    const made: InternedName = { kind, name, seriesKey: flatten(`${kind}:${name}`) }
    if (to - from <= LONGEST_KEPT) this.#names[slot] = made
    return made
  }
}

/** The lane's high bits are the better mixed ones; those choose the slot. */
function slotOf(lane: number, mask: number): number {
  return (lane ^ (lane >>> 15)) & mask
}

/** A text put together from parts stays in parts until it is read; as the name of a property it is one piece, and the same for equal texts. */
function flatten(text: string): string {
  return Object.keys({ [text]: 0 })[0]!
}
