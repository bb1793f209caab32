import { type Account, LIVE } from '../account.ts'
import { type DroppedCounts, NOTHING_DROPPED } from '../activity/activity.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'

// What few accounts have: part of version 3 of the codec. Most accounts have none of it, and spend one byte.
//
//   varint       a bit for each part that follows, in this order
//   1            varint × 4: what was dropped (too old, names, keys, values)
//   2            varint: historyOffset; without it the account is live

const DROPPED = 1
const HISTORY = 2

/** What few accounts have beside their activity and standings. */
export interface Extras {
  readonly dropped: DroppedCounts
  readonly historyOffset: number
}

export const NO_EXTRAS: Extras = { dropped: NOTHING_DROPPED, historyOffset: LIVE }

export function writeExtras(out: ByteWriter, account: Account): void {
  const { historyOffset } = account
  const { dropped } = account.activity
  const hasDropped = dropped !== NOTHING_DROPPED
  const isLive = historyOffset === LIVE
  out.varint((hasDropped ? DROPPED : 0) | (isLive ? 0 : HISTORY))
  if (hasDropped) writeDropped(out, dropped)
  if (!isLive) out.varint(historyOffset)
}

export function readExtras(input: ByteReader): Extras {
  const parts = input.varint()
  if (parts === 0) return NO_EXTRAS
  const dropped = (parts & DROPPED) === 0 ? NOTHING_DROPPED : readDropped(input)
  const historyOffset = (parts & HISTORY) === 0 ? LIVE : input.varint()
  return { dropped, historyOffset }
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
