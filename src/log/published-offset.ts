/**
 * The metadata of a committed offset: the scores-published offset. Account scores are published when the
 * store is written, which happens less often than commits. So each commit records how far they are, in the
 * same transaction.
 */
export function publishedMetadata(offset: number): string {
  return `scores=${offset}`
}

/**
 * The scores-published offset of a commit. Undefined: the commit has no metadata, or not Upswell's, as after
 * a tool moved the group.
 */
export function readPublished(committedOffset: number, metadata: string | undefined): number | undefined {
  const found = /^scores=(\d{1,15})$/.exec(metadata ?? '')
  return found === null ? undefined : Math.min(committedOffset, Number(found[1]))
}
