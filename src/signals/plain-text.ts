import { FIRST_LANE, nextFirstLane, nextSecondLane, SECOND_LANE } from '../lib/hash.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** By byte: 1 for what may stand in a plain text, which is printable ASCII, but for the quote and the backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)

/** Finds where a text in quotes ends, and hashes it on the way: the bytes are gone through once. Keeps what it found until the next one. */
export class PlainTextReader {
  /** The lanes of `hash64`. */
  firstLane = 0
  secondLane = 0

  /** Where the closing quote of the text is that begins at `from`; −1 if it is not before `to`, or if the text is not plain. */
  read(bytes: Uint8Array, from: number, to: number): number {
    let first = FIRST_LANE
    let second = SECOND_LANE
    let at = from
    while (at < to) {
      const byte = bytes[at]!
      if (PLAIN[byte] === 0) break
      first = nextFirstLane(first, byte)
      second = nextSecondLane(second, byte)
      at++
    }
    if (at >= to || bytes[at] !== QUOTE) return -1
    this.firstLane = first
    this.secondLane = second
    return at
  }
}
