/**
 * Hashes of texts that are stored or published, so they never change. Not cryptographic: they keep apart what does not try to collide.
 */

const words = new Uint32Array(2)
const double = new Float64Array(words.buffer)

/** Of no text yet. */
export const FIRST_LANE = 0xdeadbeef | 0
export const SECOND_LANE = 0x41c6ce57

/** Two 32-bit lanes over UTF-16 code units, mixed as in cyrb53/MurmurHash3's finalizer. They are left in `words`. */
function hashText(text: string): void {
  let a = FIRST_LANE
  let b = SECOND_LANE
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = nextFirstLane(a, unit)
    b = nextSecondLane(b, unit)
  }
  finish(a, b)
}

export function nextFirstLane(lane: number, unit: number): number {
  return Math.imul(lane ^ unit, 2654435761)
}

export function nextSecondLane(lane: number, unit: number): number {
  return Math.imul(lane ^ unit, 1597334677)
}

function finish(a: number, b: number): void {
  const x = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  const y = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(x ^ (x >>> 13), 3266489909)
  words[0] = x
  words[1] = y
}

/** A 63-bit hash carried in a finite double, so that it can be a key of a Map and eight bytes of a state. */
export type Hash64 = number

export function hash64(text: string): Hash64 {
  hashText(text)
  return asDouble()
}

/** `hash64` of a text of ASCII characters, from its bytes; `to` is excluded. */
export function hash64OfAscii(bytes: Uint8Array, from: number, to: number): Hash64 {
  let a = FIRST_LANE
  let b = SECOND_LANE
  for (let i = from; i < to; i++) {
    const unit = bytes[i]!
    a = nextFirstLane(a, unit)
    b = nextSecondLane(b, unit)
  }
  return hash64OfLanes(a, b)
}

/** `hash64` of the text over whose code units the lanes were led. */
export function hash64OfLanes(first: number, second: number): Hash64 {
  finish(first, second)
  return asDouble()
}

function asDouble(): number {
  // Without the exponent's top bit no pattern is NaN or infinite. Typed arrays are little-endian on all that Node runs on.
  words[1]! &= 0xbfffffff
  return double[0]!
}

/** The low 32 bits of a hash, evenly spread. */
export function lowBits(hash: Hash64): number {
  double[0] = hash
  return words[0]!
}

/** 128 bits as 32 hex digits, of the parts with a separator that no part contains. */
export function hash128Hex(...parts: readonly (string | number)[]): string {
  // Two hashes of one seed each, in one walk.
  let a = FIRST_LANE ^ 0x5eed
  let b = SECOND_LANE ^ 0x5eed
  let c = FIRST_LANE ^ 0x0bad5eed
  let d = SECOND_LANE ^ 0x0bad5eed
  for (let part = 0; part < parts.length; part++) {
    const text = String(parts[part])
    // From the separator on; before the first part there is none.
    for (let i = part === 0 ? 0 : -1; i < text.length; i++) {
      const unit = i < 0 ? 0 : text.charCodeAt(i)
      a = nextFirstLane(a, unit)
      b = nextSecondLane(b, unit)
      c = nextFirstLane(c, unit)
      d = nextSecondLane(d, unit)
    }
  }
  finish(a, b)
  const first = hexOf(words[0]!) + hexOf(words[1]!)
  finish(c, d)
  return first + hexOf(words[0]!) + hexOf(words[1]!)
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(word: number): string {
  return BYTES[word >>> 24]! + BYTES[(word >>> 16) & 255]! + BYTES[(word >>> 8) & 255]! + BYTES[word & 255]!
}
