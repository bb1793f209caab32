/**
 * Reads one of Kafka's variable-length integers: seven bits a byte, lowest first, zigzag for the sign. Exact
 * below 2⁵³. Beyond the end of `bytes` it reads zeros.
 * @throws RangeError when none of ten bytes is the last
 */
export function readVarint(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!
  // Most take one byte.
  if (!(byte > 127)) return (byte >>> 1) ^ -(byte & 1)
  let raw = byte & 127
  let position = at + 1
  for (let shift = 7; shift <= 21; shift += 7) {
    const next = bytes[position++]!
    raw |= (next & 127) << shift
    if (!(next > 127)) return (raw >>> 1) ^ -(raw & 1)
  }
  return readLongVarint(bytes, position, raw)
}

function readLongVarint(bytes: Uint8Array, from: number, lowest: number): number {
  // The lowest bit is the sign. A sum that included it would lose it above 2⁵².
  let half = lowest >>> 1
  let scale = 2 ** 27
  for (let position = from; position < from + 6; position++) {
    const byte = bytes[position] ?? 0
    half += (byte & 127) * scale
    scale *= 128
    if (byte <= 127) return (lowest & 1) === 0 ? half : -half - 1
  }
  throw new RangeError(`the integer at byte ${from - 4} has no end`)
}

/** How many bytes the integer at `at` takes. */
export function varintSize(bytes: Uint8Array, at: number): number {
  let size = 1
  while (bytes[at + size - 1]! > 127) size++
  return size
}
