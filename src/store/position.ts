import type { PartitionProgress, PartitionWrite } from './store.ts'

// How far a partition is, as one number that an adapter keeps beside the fencing token:
//
//   position    the partition
//   > 0         holds all records before this offset
//   0           is empty
//   −1          is being cleared; a part of it may be left
//   −1 − n      holds the first n parts of a filling
//
// Every accepted write and every step of clearing changes it. So a store that lost its newest writes has
// another position than its owner expects, and refuses the next write.

/** Clearing has begun, and has not ended. */
export const CLEARING = -1

/** The position that a write expects, and its own. */
export function positionsOf({ part, expectedStoredOffset, storedOffset }: PartitionWrite): {
  readonly expected: number
  readonly next: number
} {
  if (part === undefined) return { expected: expectedStoredOffset, next: storedOffset }
  return { expected: afterParts(part - 1), next: storedOffset > 0 ? storedOffset : afterParts(part) }
}

function afterParts(parts: number): number {
  return parts === 0 ? 0 : CLEARING - parts
}

/** The stored offset at a position: 0 until a filling has ended. */
export function storedOffsetAt(position: number): number {
  return Math.max(0, position)
}

/** For messages: the rest of a sentence about a partition of the store. */
export function describePosition(position: number): string {
  if (position === CLEARING) return 'is being cleared'
  if (position === 0) return 'is empty'
  if (position < 0) return `holds ${CLEARING - position} parts of a filling`
  return `is stored up to offset ${position}`
}

/** Whether the partition does not hold yet what its owner said that it must hold. */
export function isBeingFilled({ position, wholeFrom }: PartitionProgress): boolean {
  return storedOffsetAt(position) < (wholeFrom ?? 0)
}
