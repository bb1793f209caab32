const SLAB_BYTES = 65_536

/** A growing buffer of varints, doubles and texts. Equal writes give equal bytes. */
export class ByteWriter {
  // As large as nearly every account.
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #slab = new Uint8Array(0)
  #slabUsed = 0

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** A non-negative integer up to 2⁵³ − 1. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    // Beyond 31 bits a remainder of doubles is needed, which is many times slower.
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#view.setUint16(this.#length, value, true)
    this.#length += 2
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  text(value: string): void {
    // Most texts are short and ASCII; three bytes a UTF-16 unit are enough for any.
    this.#reserve(value.length * 3 + 8)
    if (value.length < 128 && this.#writeAscii(value)) return
    const encoded = encoder.encode(value)
    this.varint(encoded.length)
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  /** Returns false, and has written nothing, if the text is not ASCII. */
  #writeAscii(value: string): boolean {
    const bytes = this.#bytes
    const start = this.#length + 1
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 127) return false
      bytes[start + i] = unit
    }
    bytes[start - 1] = value.length
    this.#length = start + value.length
    return true
  }

  /** Forgets what was written; the buffer is used again. */
  restart(): void {
    this.#length = 0
  }

  /**
   * What was written since the last restart, as a copy. Small ones lie beside each other in one buffer, each in a part of its own: a buffer for each would cost more
   * than the writing.
   */
  finish(): Uint8Array {
    const length = this.#length
    if (length > SLAB_BYTES / 16) return this.#bytes.slice(0, length)
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const copy = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length)
    for (let i = 0; i < length; i++) copy[i] = this.#bytes[i]!
    this.#slabUsed += length
    return copy
  }
}

const encoder = new TextEncoder()
// A text may begin with a byte order mark, and must come back as it was.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws RangeError from any method if the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    return this.#view.getUint8(this.#position++)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  double(): number {
    const value = this.#view.getFloat64(this.#position, true)
    this.#position += 8
    return value
  }

  text(): string {
    const length = this.varint()
    const end = this.#position + length
    if (end > this.#bytes.length) throw new RangeError('a text runs past the end')
    const value = decoder.decode(this.#bytes.subarray(this.#position, end))
    this.#position = end
    return value
  }

  atEnd(): boolean {
    return this.#position === this.#bytes.length
  }
}
