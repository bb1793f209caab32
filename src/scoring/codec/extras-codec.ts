import { type AccountActivity, type DroppedCounts, NOTHING_DROPPED } from '../activity/activity.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

// What few accounts have: part of version 3 of the codec. Most accounts have none of it, and spend one byte.
//
//   varint       a bit for each part that follows, in this order
//   1            varint × 4: what was dropped (too old, names, keys, values)

const DROPPED = 1

/** What few accounts have beside their activity and standings. */
export interface Extras {
  readonly dropped: DroppedCounts
}

export const NO_EXTRAS: Extras = { dropped: NOTHING_DROPPED }

export function writeExtras(out: ByteWriter, { dropped }: Pick<AccountActivity, 'dropped'>): void {
  const hasDropped = dropped !== NOTHING_DROPPED
  out.varint(hasDropped ? DROPPED : 0)
  if (hasDropped) writeDropped(out, dropped)
}

export function readExtras(input: ByteReader): Extras {
  const parts = input.varint()
  return (parts & DROPPED) === 0 ? NO_EXTRAS : { dropped: readDropped(input) }
}

function writeDropped(out: ByteWriter, { tooOld, names, keys, values }: DroppedCounts): void {
  out.varint(tooOld)
  out.varint(names)
  out.varint(keys)
  out.varint(values)
}

/** Version 2 has these counts too, in the activity. */
export function readDropped(input: ByteReader): DroppedCounts {
  const tooOld = input.varint()
  const names = input.varint()
  const keys = input.varint()
  const values = input.varint()
  return tooOld + names + keys + values > 0 ? { tooOld, names, keys, values } : NOTHING_DROPPED
}
