import { Command, type Redis } from 'ioredis'
import { writeSortableScore } from './redis-keys.ts'

/**
 * A request in Redis' wire format: the number of arguments, then each argument after its length in bytes.
 * ioredis makes several objects for each argument and joins them at the end: for each saved account that took
 * a third more time and left 3 KB of garbage.
 */
export class RequestWriter {
  #bytes: Buffer
  #length = 0

  /** @param roomBytes about how long the request will be, so that the buffer need not grow */
  constructor(roomBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(roomBytes + ROOM_FOR_MORE)
  }

  /** @param count how many arguments follow, the command's name included */
  begin(count: number): void {
    this.#head(STAR, count)
  }

  text(text: string): void {
    this.joined(NOTHING, text)
  }

  number(value: number): void {
    this.joined(NOTHING, String(value))
  }

  bytes(bytes: Uint8Array): void {
    this.#head(DOLLAR, bytes.length)
    this.#reserve(bytes.length + 2)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    this.#endLine()
  }

  /** Writes one argument made of two parts. */
  joined(prefix: Uint8Array, text: string): void {
    if (text.length <= SHORT && this.#joinedAscii(prefix, text)) return
    const length = Buffer.byteLength(text)
    this.#head(DOLLAR, prefix.length + length)
    this.#reserve(prefix.length + length + 2)
    this.#bytes.set(prefix, this.#length)
    this.#length += prefix.length
    this.#length += this.#bytes.write(text, this.#length)
    this.#endLine()
  }

  /**
   * Most texts are short ASCII, and for them a loop is faster than calls out of JavaScript.
   * @returns false if the text is not ASCII; nothing is written then
   */
  #joinedAscii(prefix: Uint8Array, text: string): boolean {
    const { length } = text
    const start = this.#length
    this.#head(DOLLAR, prefix.length + length)
    this.#reserve(prefix.length + length + 2)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < prefix.length; i++) bytes[at++] = prefix[i]!
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 127) {
        this.#length = start
        return false
      }
      bytes[at++] = unit
    }
    this.#length = at
    this.#endLine()
    return true
  }

  /** Writes `listingMember` as one argument. */
  listingMember(score: number, accountId: string): void {
    writeSortableScore(scoreBytes, score)
    this.joined(scoreBytes, accountId)
  }

  /** The finished request. The caller owns it; nothing more may be written. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #head(sign: number, value: number): void {
    this.#reserve(HEAD_BYTES)
    const bytes = this.#bytes
    bytes[this.#length++] = sign
    let scale = 1
    while (scale * 10 <= value) scale *= 10
    for (let rest = value; scale >= 1; scale = Math.floor(scale / 10)) {
      const digit = Math.floor(rest / scale)
      bytes[this.#length++] = ZERO + digit
      rest -= digit * scale
    }
    this.#endLine()
  }

  #endLine(): void {
    this.#bytes[this.#length++] = 13
    this.#bytes[this.#length++] = 10
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

const NOTHING = new Uint8Array(0)
const scoreBytes = new Uint8Array(16)
const SHORT = 128
const ROOM_FOR_MORE = 1024
/** Room for a sign, a number of at most 16 digits, and the line end. */
const HEAD_BYTES = 20
const [STAR, DOLLAR, ZERO] = [42, 36, 48]

/** Sends a finished request. The answer holds texts, not buffers. */
export function sendRequest(redis: Redis, name: string, request: Buffer): Promise<unknown> {
  return redis.sendCommand(new WrittenCommand(name, request)) as Promise<unknown>
}

class WrittenCommand extends Command {
  readonly #request: Buffer

  constructor(name: string, request: Buffer) {
    super(name, [], { replyEncoding: 'utf8' })
    this.#request = request
  }

  override toWritable(): Buffer {
    return this.#request
  }
}
