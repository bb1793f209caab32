import type { OutgoingRecord } from '../log.ts'

/** Lengths, deltas and counts of one record in a batch, at most about this much. */
const RECORD_OVERHEAD_BYTES = 40
/** Of a UTF-16 code unit in UTF-8, at most. */
const BYTES_PER_UNIT = 3

/** The bytes that the record takes in an uncompressed batch, or somewhat less than that. */
export function sizeBytes({ key, value, headers }: OutgoingRecord): number {
  return RECORD_OVERHEAD_BYTES + byteLength(key) + byteLength(value) + headerBytes(headers)
}

/** At least `sizeBytes`, found without looking at the texts. */
export function mostBytes({ key, value, headers }: OutgoingRecord): number {
  const texts = (key?.length ?? 0) + (value?.length ?? 0)
  return RECORD_OVERHEAD_BYTES + texts * BYTES_PER_UNIT + headerBytes(headers)
}

/** Of headers, which are short, a text counts with its characters. */
function headerBytes(headers: OutgoingRecord['headers']): number {
  let bytes = 0
  for (const name in headers) bytes += name.length + headers[name]!.length + 4
  return bytes
}

function byteLength(text: string | Buffer | null): number {
  return text === null ? 0 : Buffer.byteLength(text)
}
