/**
 * Hashes of texts that are stored or published, so they never change. Not cryptographic: they keep apart what does not try to collide.
 */

/** Two 32-bit lanes over UTF-16 code units, mixed as in cyrb53/MurmurHash3's finalizer. */
function lanes(text: string, seed: number): [number, number] {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  const x = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  const y = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(x ^ (x >>> 13), 3266489909)
  return [x >>> 0, y >>> 0]
}

/** A 63-bit hash carried in a finite double, so that it can be a key of a Map and eight bytes of a state. */
export type Hash64 = number

const words = new Uint32Array(2)
const double = new Float64Array(words.buffer)

export function hash64(text: string): Hash64 {
  const [low, high] = lanes(text, 0)
  words[0] = low
  // Without the exponent's top bit no pattern is NaN or infinite. Typed arrays are little-endian on all that Node runs on.
  words[1] = high & 0xbfffffff
  return double[0]!
}

/** The low 32 bits of a hash, evenly spread. */
export function lowBits(hash: Hash64): number {
  double[0] = hash
  return words[0]!
}

/** 128 bits as 32 hex digits, of the parts with a separator that no part contains. */
export function hash128Hex(...parts: readonly (string | number)[]): string {
  const text = parts.join('\u0000')
  return [...lanes(text, 0x5eed), ...lanes(text, 0x0bad5eed)]
    .map(word => word.toString(16).padStart(8, '0'))
    .join('')
}
