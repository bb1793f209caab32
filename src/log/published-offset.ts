/** How far the scores of a partition are published. */
export interface PublishedScores {
  /** The scores of all records before this offset are published. */
  readonly scoresPublished: number
  /** Scores of some records before this offset may be published too. */
  readonly uncertainBefore: number
}

/**
 * The metadata of a committed offset. Account scores are published when the store is written, which happens
 * less often than commits. So each commit records how far they are, in the same transaction.
 */
export function publishedMetadata(scoresPublished: number, uncertainBefore = 0): string {
  const known = `scores=${scoresPublished}`
  return uncertainBefore > scoresPublished ? `${known} uncertain=${uncertainBefore}` : known
}

/**
 * Reads the metadata of a commit. Undefined: it has none, or not Upswell's, as after a tool moved the group.
 */
export function readPublished(
  committedOffset: number,
  metadata: string | undefined,
): PublishedScores | undefined {
  const found = /^scores=(\d{1,15})(?: uncertain=(\d{1,15}))?$/.exec(metadata ?? '')
  if (found === null) return undefined
  const scoresPublished = Number(found[1])
  return {
    // The group may have been moved back, and its metadata kept.
    scoresPublished: Math.min(committedOffset, scoresPublished),
    uncertainBefore: Math.max(scoresPublished, Number(found[2] ?? 0)),
  }
}
