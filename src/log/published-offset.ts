/**
 * How far the records of `account-scores` are out. They are published when the store is written, which is less often than the offset is committed; so it is written
 * down with the committed offset, in the same transaction.
 */
export function publishedMetadata(offset: number): string {
  return `scores=${offset}`
}

/** Of a committed offset and what was committed with it. Undefined where that is nothing, or somebody else's, as of tools that move a group. */
export function readPublished(committedOffset: number, metadata: string | undefined): number | undefined {
  const found = /^scores=(\d{1,15})$/.exec(metadata ?? '')
  return found === null ? undefined : Math.min(committedOffset, Number(found[1]))
}
