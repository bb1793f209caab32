import { EMPTY_MAP } from '../../lib/small-maps.ts'
import { type AccountActivity, type DroppedCounts, NOTHING_DROPPED } from '../activity/activity.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { readSorted, writeSorted } from './value-codec.ts'

// What few accounts have: part of version 3 of the codec. Most accounts have none of it, and spend one byte.
//
//   varint       a bit for each part that follows, in this order
//   1            varint × 4: what was dropped (too old, names, keys, values)
//   2            sorted map: formerTiers

const DROPPED = 1
const FORMER_TIERS = 2

/** What few accounts have beside their activity and standings. */
export interface Extras {
  readonly dropped: DroppedCounts
  readonly formerTiers: ReadonlyMap<string, string>
}

export const NO_EXTRAS: Extras = { dropped: NOTHING_DROPPED, formerTiers: EMPTY_MAP }

export function writeExtras(
  out: ByteWriter,
  { dropped, formerTiers }: Pick<AccountActivity, keyof Extras>,
): void {
  const hasDropped = dropped !== NOTHING_DROPPED
  const hasFormerTiers = formerTiers.size > 0
  out.varint((hasDropped ? DROPPED : 0) + (hasFormerTiers ? FORMER_TIERS : 0))
  if (hasDropped) writeDropped(out, dropped)
  if (hasFormerTiers) writeSorted(out, formerTiers, tier => out.text(tier))
}

export function readExtras(input: ByteReader): Extras {
  const parts = input.varint()
  if (parts === 0) return NO_EXTRAS
  const dropped = (parts & DROPPED) === 0 ? NOTHING_DROPPED : readDropped(input)
  const formerTiers = (parts & FORMER_TIERS) === 0 ? EMPTY_MAP : readSorted(input, () => input.text())
  return { dropped, formerTiers }
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
