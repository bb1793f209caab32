import { EMPTY_MAP } from '../../lib/small-maps.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

// Values of several types, and maps by ascending key, in the bytes of accounts: part of the codec's version.

const TAG = { null: 0, integer: 1, double: 2, text: 3, false: 4, true: 5 } as const

export function writeNumber(out: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
    out.byte(TAG.integer)
    out.varint(value)
  } else {
    out.byte(TAG.double)
    out.double(value)
  }
}

export function readNumber(input: ByteReader): number {
  return readValue(input) as number
}

export function writeValue(out: ByteWriter, value: number | string | boolean | null): void {
  if (value === null) out.byte(TAG.null)
  else if (typeof value === 'number') writeNumber(out, value)
  else if (typeof value === 'boolean') out.byte(value ? TAG.true : TAG.false)
  else {
    out.byte(TAG.text)
    out.text(value)
  }
}

export function readValue(input: ByteReader): number | string | boolean | null {
  const tag = input.byte()
  switch (tag) {
    case TAG.null:
      return null
    case TAG.integer:
      return input.varint()
    case TAG.double:
      return input.double()
    case TAG.text:
      return input.text()
    case TAG.false:
      return false
    case TAG.true:
      return true
    default:
      throw new RangeError(`${tag} is not the tag of a value`)
  }
}

/** Writes a map by ascending key. */
export function writeSorted<T>(
  out: ByteWriter,
  map: ReadonlyMap<string, T>,
  write: (value: T) => void,
): void {
  out.varint(map.size)
  if (map.size === 0) return
  for (const key of isAscending(map) ? map.keys() : [...map.keys()].sort()) {
    out.text(key)
    write(map.get(key)!)
  }
}

function isAscending(map: ReadonlyMap<string, unknown>): boolean {
  let before: string | undefined
  for (const key of map.keys()) {
    if (before !== undefined && key < before) return false
    before = key
  }
  return true
}

export function readSorted<T>(input: ByteReader, read: (key: string) => T): ReadonlyMap<string, T> {
  const size = input.varint()
  if (size === 0) return EMPTY_MAP
  const map = new Map<string, T>()
  for (let left = size; left > 0; left--) {
    const key = input.text()
    map.set(key, read(key))
  }
  return map
}
