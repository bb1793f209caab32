import { EMPTY_MAP } from '../../lib/small-maps.ts'
import { type Account, LIVE } from '../account.ts'
import { type DroppedCounts, LIMIT_NAMES, NOTHING_DROPPED } from '../activity/activity.ts'
import type { ByteReader, ByteWriter } from './bytes.ts'
import { readSorted, writeSorted } from './value-codec.ts'

// What few accounts have: part of version 3 of the codec. Most accounts have none of it, and spend one byte.
//
//   varint       a bit for each part that follows, in this order
//   1            varint, a bit for each limit that was reached, in the order of LIMIT_NAMES; then for each of
//                these limits a varint: how often
//   2            varint: the clock when the last of many ids was applied, ms; the ids are in chunks
//   4            sorted map: formerTiers
//   8            varint: historyOffset; without it the account is live

const DROPPED = 1
const MANY_IDS = 2
const FORMER_TIERS = 4
const HISTORY = 8

/** What few accounts have beside their activity and standings. */
export interface Extras {
  readonly dropped: DroppedCounts
  /** The account's clock when the last of many ids was applied, ms. Undefined: its ids are in its core. */
  readonly manyIdsAppliedAt: number | undefined
  readonly formerTiers: ReadonlyMap<string, string>
  readonly historyOffset: number
}

export const NO_EXTRAS: Extras = {
  dropped: NOTHING_DROPPED,
  manyIdsAppliedAt: undefined,
  formerTiers: EMPTY_MAP,
  historyOffset: LIVE,
}

export function writeExtras(out: ByteWriter, { activity, historyOffset }: Account): void {
  const { dropped, manyIds, formerTiers } = activity
  const hasDropped = dropped !== NOTHING_DROPPED
  const hasManyIds = manyIds !== undefined && !manyIds.isOver
  const hasFormerTiers = formerTiers.size > 0
  const isLive = historyOffset === LIVE
  out.varint(
    (hasDropped ? DROPPED : 0) +
      (hasManyIds ? MANY_IDS : 0) +
      (hasFormerTiers ? FORMER_TIERS : 0) +
      (isLive ? 0 : HISTORY),
  )
  if (hasDropped) writeDropped(out, dropped)
  if (hasManyIds) out.varint(manyIds.lastAppliedAt)
  if (hasFormerTiers) writeSorted(out, formerTiers, tier => out.text(tier))
  if (!isLive) out.varint(historyOffset)
}

export function readExtras(input: ByteReader): Extras {
  const parts = input.varint()
  if (parts === 0) return NO_EXTRAS
  const dropped = (parts & DROPPED) === 0 ? NOTHING_DROPPED : readDropped(input)
  const manyIdsAppliedAt = (parts & MANY_IDS) === 0 ? undefined : input.varint()
  const formerTiers = (parts & FORMER_TIERS) === 0 ? EMPTY_MAP : readSorted(input, () => input.text())
  const historyOffset = (parts & HISTORY) === 0 ? LIVE : input.varint()
  return { dropped, manyIdsAppliedAt, formerTiers, historyOffset }
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
