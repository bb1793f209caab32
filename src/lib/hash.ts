/** Hashes of texts. They are stored and published, so they never change. They are not cryptographic. */

// Registers: the same eight bytes as two words and as a double. Each call writes them before it reads them.
const words = new Uint32Array(2)
const double = new Float64Array(words.buffer)

/** Both lanes before the first code unit. */
export const FIRST_LANE = 0xdeadbeef | 0
export const SECOND_LANE = 0x41c6ce57

/** Leaves in `words` two 32-bit lanes over UTF-16 code units, mixed as in cyrb53 and MurmurHash3. */
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

/** A 63-bit hash in a finite double: it can be the key of a Map, and eight bytes of a state. */
export type Hash64 = number

export function hash64(text: string): Hash64 {
  hashText(text)
  return asDouble()
}

/** `hash64` of a text, from the lanes after its last code unit. */
export function hash64OfLanes(first: number, second: number): Hash64 {
  finish(first, second)
  return asDouble()
}

function asDouble(): number {
  // Without the exponent's top bit no pattern is NaN or infinite.
  // Typed arrays are little-endian on every platform that Node runs on.
  words[1]! &= 0xbfffffff
  return double[0]!
}

/** The low 32 bits of a hash. They are evenly spread. */
export function lowBits(hash: Hash64): number {
  double[0] = hash
  return words[0]!
}

/** The high 32 bits of a hash. All but the second highest are evenly spread, whatever the low ones are. */
export function highBits(hash: Hash64): number {
  double[0] = hash
  return words[1]!
}

/** A 128-bit hash of the parts, as 32 hex digits. Parts are joined by NUL, which none of them contains. */
export function hash128Hex(...parts: readonly (string | number)[]): string {
  // Two hashes with a seed each, in one pass.
  let a = FIRST_LANE ^ 0x5eed
  let b = SECOND_LANE ^ 0x5eed
  let c = FIRST_LANE ^ 0x0bad5eed
  let d = SECOND_LANE ^ 0x0bad5eed
  for (let part = 0; part < parts.length; part++) {
    const text = String(parts[part])
    // Index −1 is the separator; there is none before the first part.
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
