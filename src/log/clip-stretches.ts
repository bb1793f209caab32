import type { OffsetRange, Stretch } from './log.ts'

/**
 * The readable parts of the stretches, in their order. Empty parts are left out.
 * @throws Error on an unknown partition
 */
export function clipStretches(
  topic: string,
  stretches: readonly Stretch[],
  ranges: ReadonlyMap<number, OffsetRange>,
): Stretch[] {
  return stretches
    .map(({ partition, from, to }) => {
      const range = ranges.get(partition)
      if (range === undefined)
        throw new Error(`topic ${topic} has ${ranges.size} partitions, and no partition ${partition}`)
      return { partition, from: Math.max(from, range.first), to: Math.min(to, range.end) }
    })
    .filter(({ from, to }) => from < to)
}

/** One stretch for each partition, over all offsets that can be read. */
export function wholeStretches(ranges: ReadonlyMap<number, OffsetRange>): Stretch[] {
  return [...ranges]
    .map(([partition, { first, end }]) => ({ partition, from: first, to: end }))
    .sort((a, b) => a.partition - b.partition)
}
