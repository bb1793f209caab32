import { asciiBytes, startsWithAt } from '../../lib/ascii.ts'
import { hash64OfLanes } from '../../lib/hash.ts'
import type { SignalKind } from '../signal.ts'
import { MAX_AHEAD_MS, SIGNAL_LIMITS } from '../signal-limits.ts'
import { LATEST_MS } from '../time.ts'
import { InternedNames, InternedTexts } from './interned-texts.ts'
import { PlainTextReader } from './plain-text.ts'
import { PlainTimeReader, WITH_MS, WITHOUT_FRACTION } from './plain-time.ts'
import { ScannedSignal } from './scanned-signal.ts'

const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const DOT = 0x2e
const ZERO = 0x30
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

/** Numbers of the fields. The first four are texts of any content. */
const ID = 0
const NAME = 1
const ACCOUNT_ID = 2
const USER_ID = 3
const TEXTS = 4
const KIND = 4
const OCCURRED_AT = 5
const QUANTITY = 6
const PROPERTIES = 7

/** The bytes after the quote that opens a field's name, indexed by field. */
const FIELD_BYTES = ['id', 'name', 'accountId', 'userId', 'kind', 'occurredAt', 'quantity', 'properties'].map(
  field => asciiBytes(`${field}":`),
)
const LONGEST_TEXT = [
  SIGNAL_LIMITS.idLength,
  SIGNAL_LIMITS.nameLength,
  SIGNAL_LIMITS.accountIdBytes,
  SIGNAL_LIMITS.userIdLength,
]
const REQUIRED = (1 << ID) | (1 << NAME) | (1 << ACCOUNT_ID) | (1 << KIND) | (1 << OCCURRED_AT)

const USAGE = asciiBytes('"usage"')
const INTENT = asciiBytes('"intent"')
const OUTCOME = asciiBytes('"outcome"')

/** Within these limits integers give the same thousandths as the parser, which multiplies the double. */
const MOST_WHOLE_DIGITS = 9
const MOST_DECIMALS = 3

/** The scanner cannot read it. It may still be a signal. */
const ODD = -1

const ACCOUNT_SLOTS = 65_536
const NAME_SLOTS = 1024

// A signal is plain if all of this holds:
//   kind         usage, intent or outcome
//   fields       known ones, in any order, each once; properties absent or empty
//   texts        printable ASCII without escapes
//   quantity     up to 9 digits, and 3 after the point
//   occurredAt   UTC, with or without milliseconds
/**
 * Reads plain signals from their bytes in one pass, without JSON.parse. `parseSignal` accepts every signal
 * that this accepts, with equal fields. Anything else is left to `parseSignal`, which also says why a record
 * is not a signal.
 */
export class SignalScanner {
  readonly #accountIds = new InternedTexts(ACCOUNT_SLOTS)
  readonly #names = new InternedNames(NAME_SLOTS)
  readonly #text = new PlainTextReader()
  readonly #time = new PlainTimeReader()
  // Indexed by field, for the present signal: where its texts are, and the lanes of their hashes.
  readonly #from = new Int32Array(TEXTS)
  readonly #to = new Int32Array(TEXTS)
  readonly #firstLane = new Int32Array(TEXTS)
  readonly #secondLane = new Int32Array(TEXTS)
  readonly #signal = new ScannedSignal()
  #kind: SignalKind = 'usage'
  #timeFrom = 0
  #timeTo = 0
  #quantityThousandths = 1000

  /**
   * Reads the signal in the bytes from `from` to before `to`; undefined: it is not plain. All calls return
   * the same object: it is valid until the next call, and it reads the bytes later, so they must not change.
   * @param observedAt when the system received it, ms
   */
  scan(bytes: Buffer, from: number, to: number, observedAt: number): ScannedSignal | undefined {
    const seen = this.#scanFields(bytes, from, to)
    if (seen === ODD || (seen & REQUIRED) !== REQUIRED) return undefined
    const occurredAt = this.#time.read(bytes, this.#timeFrom, this.#timeTo)
    if (occurredAt < 0 || occurredAt > LATEST_MS || occurredAt > observedAt + MAX_AHEAD_MS) return undefined
    const starts = this.#from
    const ends = this.#to
    const first = this.#firstLane
    const second = this.#secondLane
    const hasUser = (seen & (1 << USER_ID)) !== 0
    const signal = this.#signal
    signal.set(
      this.#names.nameOf(this.#kind, first[NAME]!, bytes, starts[NAME]!, ends[NAME]!),
      this.#accountIds.textOf(first[ACCOUNT_ID]!, bytes, starts[ACCOUNT_ID]!, ends[ACCOUNT_ID]!),
      this.#quantityThousandths,
      occurredAt,
      hash64OfLanes(first[ID]!, second[ID]!),
      hasUser ? hash64OfLanes(first[USER_ID]!, second[USER_ID]!) : 0,
      bytes,
      starts[ID]!,
      hasUser ? starts[USER_ID]! : -1,
    )
    return signal
  }

  /** Returns the fields found, as bits; `ODD` if the closing brace is not at the end. */
  #scanFields(bytes: Buffer, from: number, to: number): number {
    this.#quantityThousandths = 1000
    if (to - from < 2 || bytes[from] !== BRACE_OPEN) return ODD
    let seen = 0
    let at = from + 1
    while (at < to) {
      const field = fieldAt(bytes, at, to)
      if (field === ODD || (seen & (1 << field)) !== 0) return ODD
      seen |= 1 << field
      at = this.#scanValue(bytes, field, skipSpace(bytes, at + 1 + FIELD_BYTES[field]!.length, to), to)
      if (at === ODD || at >= to) return ODD
      if (bytes[at] === BRACE_CLOSE) return at === to - 1 ? seen : ODD
      if (bytes[at] !== COMMA) return ODD
      at = skipSpace(bytes, at + 1, to)
    }
    return ODD
  }

  /** Returns the index after the value. */
  #scanValue(bytes: Buffer, field: number, at: number, to: number): number {
    if (field === QUANTITY) return this.#scanQuantity(bytes, at, to)
    if (at + 1 >= to) return ODD
    if (field === PROPERTIES) return bytes[at] === BRACE_OPEN && bytes[at + 1] === BRACE_CLOSE ? at + 2 : ODD
    if (bytes[at] !== QUOTE) return ODD
    if (field === KIND) return this.#scanKind(bytes, at, to)
    if (field === OCCURRED_AT) return this.#scanTime(bytes, at + 1, to)
    const end = this.#text.read(bytes, at + 1, Math.min(to, at + 2 + LONGEST_TEXT[field]!))
    if (end < 0 || end === at + 1) return ODD
    this.#from[field] = at + 1
    this.#to[field] = end
    this.#firstLane[field] = this.#text.firstLane
    this.#secondLane[field] = this.#text.secondLane
    return end + 1
  }

  #scanKind(bytes: Buffer, at: number, to: number): number {
    if (at + OUTCOME.length >= to) return ODD
    if (startsWithAt(bytes, at, USAGE)) {
      this.#kind = 'usage'
      return at + USAGE.length
    }
    if (startsWithAt(bytes, at, INTENT)) {
      this.#kind = 'intent'
      return at + INTENT.length
    }
    if (!startsWithAt(bytes, at, OUTCOME)) return ODD
    this.#kind = 'outcome'
    return at + OUTCOME.length
  }

  /** Finds the end alone: the characters are read once the whole signal is known to be plain. */
  #scanTime(bytes: Buffer, from: number, to: number): number {
    let end = from + WITH_MS
    if (end >= to || bytes[end] !== QUOTE) end = from + WITHOUT_FRACTION
    if (end >= to || bytes[end] !== QUOTE) return ODD
    this.#timeFrom = from
    this.#timeTo = end
    return end + 1
  }

  #scanQuantity(bytes: Buffer, from: number, to: number): number {
    const point = endOfDigits(bytes, from, to)
    const wholeDigits = point - from
    if (wholeDigits === 0 || wholeDigits > MOST_WHOLE_DIGITS) return ODD
    // JSON does not allow 01.
    if (wholeDigits > 1 && bytes[from] === ZERO) return ODD
    this.#quantityThousandths = 1000 * numberOf(bytes, from, point)
    if (point >= to || bytes[point] !== DOT) return point
    const end = endOfDigits(bytes, point + 1, to)
    const decimals = end - point - 1
    if (decimals === 0 || decimals > MOST_DECIMALS) return ODD
    this.#quantityThousandths +=
      numberOf(bytes, point + 1, end) * (decimals === 1 ? 100 : decimals === 2 ? 10 : 1)
    return end
  }
}

/** The field whose quoted name begins at `at`. */
function fieldAt(bytes: Buffer, at: number, to: number): number {
  if (at + 1 >= to || bytes[at] !== QUOTE) return ODD
  const field = fieldBeginningWith(bytes[at + 1]!)
  if (field === ODD) return ODD
  const name = FIELD_BYTES[field]!
  return at + 1 + name.length < to && startsWithAt(bytes, at + 1, name) ? field : ODD
}

/** No two fields begin with the same letter. */
function fieldBeginningWith(letter: number): number {
  switch (letter) {
    case 0x69:
      return ID
    case 0x6b:
      return KIND
    case 0x6e:
      return NAME
    case 0x61:
      return ACCOUNT_ID
    case 0x75:
      return USER_ID
    case 0x6f:
      return OCCURRED_AT
    case 0x71:
      return QUANTITY
    case 0x70:
      return PROPERTIES
    default:
      return ODD
  }
}

/** Some writers put one space after each colon and comma. */
function skipSpace(bytes: Buffer, at: number, to: number): number {
  return at < to && bytes[at] === SPACE ? at + 1 : at
}

function endOfDigits(bytes: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at]! >= ZERO && bytes[at]! < ZERO + 10) at++
  return at
}

function numberOf(bytes: Buffer, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at++) number = number * 10 + bytes[at]! - ZERO
  return number
}
