import { FIRST_LANE, nextFirstLane, nextSecondLane, SECOND_LANE } from '../../lib/hash.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Indexed by byte: 1 if a plain text may contain it, that is printable ASCII except quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
)

/** Finds where a quoted text ends and hashes it, in one pass. The lanes are valid until the next text. */
export class PlainTextReader {
  /** The lanes of `hash64`. */
  firstLane = 0
  secondLane = 0

  /**
   * The index of the closing quote of the text that begins at `from`. −1: there is none before `to`, or the
   * text is not plain.
   */
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
