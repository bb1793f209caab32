/**
 * A growing buffer that is written in the notation of Kafka's protocol. It is reused: `finish` returns a
 * copy.
 */
export class ProduceWriter {
  #bytes = Buffer.allocUnsafeSlow(256 * 1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  get bytes(): Buffer {
    return this.#bytes
  }

  restart(): void {
    this.#length = 0
  }

  /** A copy of the bytes since the last restart. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count))
    // All of it: text may be written beyond `#length`, before its own length is known.
    this.#bytes.copy(grown)
    this.#bytes = grown
  }

  int8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  int16(value: number): void {
    this.#reserve(2)
    this.#length = this.#bytes.writeInt16BE(value, this.#length)
  }

  int32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeInt32BE(value, this.#length)
  }

  int64(value: number): void {
    this.#reserve(8)
    const high = Math.floor(value / 2 ** 32)
    this.#bytes.writeInt32BE(high, this.#length)
    this.#length = this.#bytes.writeUInt32BE(value - high * 2 ** 32, this.#length + 4)
  }

  /** Leaves room for an int32 that is known later. Returns its place for `putInt32`. */
  skipInt32(): number {
    this.#reserve(4)
    this.#length += 4
    return this.#length - 4
  }

  putInt32(at: number, value: number): void {
    this.#bytes.writeInt32BE(value | 0, at)
  }

  /** The length as an int16, then the text in UTF-8; null has the length −1. */
  string(text: string | null): void {
    if (text === null) {
      this.int16(-1)
      return
    }
    const length = Buffer.byteLength(text)
    this.int16(length)
    this.#reserve(length)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** Zigzag, up to 2⁵³. */
  varint(value: number): void {
    this.#reserve(9)
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  /** The length as a varint, then the bytes, or the text in UTF-8; null has the length −1. */
  varintBytes(value: string | Buffer | null): void {
    if (value === null) {
      this.varint(-1)
    } else if (typeof value !== 'string') {
      this.varint(value.length)
      this.#reserve(value.length)
      this.#length += value.copy(this.#bytes, this.#length)
    } else if (!this.#short(value)) {
      this.#long(value)
    }
  }

  /**
   * Does not count the bytes first: leaves room for the length of an ASCII text, which most are, and writes
   * the text after it. Any other text is moved.
   */
  #long(text: string): void {
    this.#reserve(text.length * 3 + 10)
    const start = this.#length
    const from = start + varintSize(text.length)
    const length = this.#bytes.write(text, from)
    const to = start + varintSize(length)
    if (to !== from) this.#bytes.copyWithin(to, from, from + length)
    this.varint(length)
    this.#length += length
  }

  /**
   * Most texts of headers are short and ASCII: for them a loop is faster than a call out of JavaScript.
   * Returns false, and writes nothing, if this text is not.
   */
  #short(text: string): boolean {
    const { length } = text
    if (length > 63) return false
    this.#reserve(length + 1)
    const bytes = this.#bytes
    const start = this.#length + 1
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 127) return false
      bytes[start + i] = unit
    }
    bytes[start - 1] = 2 * length
    this.#length = start + length
    return true
  }

  /** Begins a part that its length, as a varint, comes before. Returns the argument for `end`. */
  begin(): number {
    this.#reserve(GAP)
    this.#length += GAP
    return this.#length
  }

  /** Ends the part and writes its length. */
  end(start: number): void {
    const length = this.#length - start
    const gap = varintSize(length)
    if (gap !== GAP) {
      this.#reserve(gap)
      this.#bytes.copyWithin(start - GAP + gap, start, this.#length)
    }
    this.#length = start - GAP
    this.varint(length)
    this.#length += length
  }
}

/** How many bytes this length takes as a varint. */
function varintSize(length: number): number {
  return length < 64 ? 1 : length < 8_192 ? 2 : length < 1_048_576 ? 3 : length < 134_217_728 ? 4 : 5
}

/**
 * Room for the length of a record of 64 to 8,191 bytes. A record whose length takes more or less is moved.
 */
const GAP = 2
