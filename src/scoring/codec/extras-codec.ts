import {
  type AccountActivity,
  type DroppedCounts,
  LIMIT_NAMES,
  NOTHING_DROPPED,
} from '../activity/activity.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

// What few accounts have: part of version 3 of the codec. Most accounts have none of it, and spend one byte.
//
//   varint       a bit for each part that follows, in this order
//   1            varint, a bit for each limit that was reached, in the order of LIMIT_NAMES; then for each of
//                these limits a varint: how often

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

function writeDropped(out: ByteWriter, dropped: DroppedCounts): void {
  const reached = LIMIT_NAMES.filter(name => dropped[name] > 0)
  out.varint(reached.reduce((bits, name) => bits + 2 ** LIMIT_NAMES.indexOf(name), 0))
  for (const name of reached) out.varint(dropped[name])
}

function readDropped(input: ByteReader): DroppedCounts {
  const bits = input.varint()
  const dropped = { ...NOTHING_DROPPED }
  for (const [i, name] of LIMIT_NAMES.entries()) if ((bits & (1 << i)) !== 0) dropped[name] = input.varint()
  return dropped
}

/** Version 2 has four of these counts, in the activity. */
export function readDroppedOfVersion2(input: ByteReader): DroppedCounts {
  const counts = (['too-old', 'names', 'keys', 'values'] as const).map(
    name => [name, input.varint()] as const,
  )
  if (counts.every(([, count]) => count === 0)) return NOTHING_DROPPED
  return { ...NOTHING_DROPPED, ...Object.fromEntries(counts) }
}
