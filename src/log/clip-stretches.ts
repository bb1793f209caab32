import type { OffsetRange, Stretch } from './log.ts'

/** What of the stretches can be read, in their order: those of which nothing is there, or nothing was asked for, are left out. */
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

/** All that can be read, partition by partition. */
export function wholeStretches(ranges: ReadonlyMap<number, OffsetRange>): Stretch[] {
  return [...ranges]
    .map(([partition, { first, end }]) => ({ partition, from: first, to: end }))
    .sort((a, b) => a.partition - b.partition)
}
