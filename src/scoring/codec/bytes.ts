const SLAB_BYTES = 65_536

/** A growing buffer of varints, doubles and texts. Equal writes give equal bytes. Results stay untouched. */
export class ByteWriter {
  #bytes = new Uint8Array(SLAB_BYTES)
  #view = new DataView(this.#bytes.buffer)
  /** Finished results are before it. */
  #start = 0
  #end = 0

  /** Moves the unfinished bytes into a new, larger buffer. */
  #grow(count: number): void {
    const length = this.#end - this.#start
    const grown = new Uint8Array(Math.max(SLAB_BYTES, (length + count) * 2))
    grown.set(this.#bytes.subarray(this.#start, this.#end))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
    this.#start = 0
    this.#end = length
  }

  #reserve(count: number): void {
    if (this.#end + count > this.#bytes.length) this.#grow(count)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#end++] = value
  }

  /** A non-negative integer up to 2⁵³ − 1. */
  varint(value: number): void {
    this.#reserve(8)
    const bytes = this.#bytes
    let end = this.#end
    let rest = value
    // Beyond 31 bits this takes a remainder of doubles, which is many times slower.
    while (rest > 0x7fffffff) {
      bytes[end++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      bytes[end++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[end] = rest
    this.#end = end + 1
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#end, value, true)
    this.#end += 8
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#view.setUint16(this.#end, value, true)
    this.#end += 2
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#end, value, true)
    this.#end += 4
  }

  text(value: string): void {
    // Most texts are short and ASCII. Three bytes per UTF-16 code unit are enough for any text.
    this.#reserve(value.length * 3 + 8)
    if (value.length < 128 && this.#writeAscii(value)) return
    const encoded = encoder.encode(value)
    this.varint(encoded.length)
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#end)
    this.#end += encoded.length
  }

  /** Returns false, and writes nothing, if the text is not ASCII. */
  #writeAscii(value: string): boolean {
    const bytes = this.#bytes
    const start = this.#end + 1
    const { length } = value
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 127) return false
      bytes[start + i] = unit
    }
    bytes[start - 1] = length
    this.#end = start + length
    return true
  }

  /** Drops everything that was written after the last `finish`. */
  restart(): void {
    this.#end = this.#start
  }

  /**
   * Returns the bytes written since the last `restart`, and continues after them. Small results share one
   * buffer: a buffer for each would cost more than the writing.
   */
  finish(): Uint8Array {
    const [start, end] = [this.#start, this.#end]
    if (end - start > SLAB_BYTES / 16) {
      this.#end = start
      return this.#bytes.slice(start, end)
    }
    this.#start = end
    return new Uint8Array(this.#bytes.buffer, start, end - start)
  }
}

const encoder = new TextEncoder()
// A text may begin with a byte order mark, and must be read back unchanged.
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
