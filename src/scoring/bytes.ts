/** A growing buffer of varints, doubles and texts. Equal writes give equal bytes. */
export class ByteWriter {
  // As large as nearly every account.
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

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
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  text(value: string): void {
    // Most texts are short and ASCII; three bytes a UTF-16 unit are enough for any.
    this.#reserve(value.length * 3 + 8)
    let ascii = value.length < 128
    for (let i = 0; ascii && i < value.length; i++) ascii = value.charCodeAt(i) < 128
    if (ascii) {
      this.#bytes[this.#length++] = value.length
      for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i)
      return
    }
    const encoded = encoder.encode(value)
    this.varint(encoded.length)
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  /** Forgets what was written; the buffer is used again. */
  restart(): void {
    this.#length = 0
  }

  /** What was written since the last restart, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
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
