import { expect, test } from 'vitest'
import { publishedMetadata, readPublished } from '../../src/log/published-offset.ts'

test.each([
  // committed offset, its metadata, scores published, uncertain before
  [60, publishedMetadata(50), 50, 50],
  [60, publishedMetadata(50, 90), 50, 90],
  [60, publishedMetadata(50, 50), 50, 50],
  // The group was moved back from 100, and its metadata kept.
  [60, publishedMetadata(100), 60, 100],
  [60, publishedMetadata(100, 120), 60, 120],
])(
  'a commit at %i with "%s" has scores published before %i, and uncertain before %i',
  (committed, metadata, scoresPublished, uncertainBefore) => {
    expect(readPublished(committed, metadata)).toEqual({ scoresPublished, uncertainBefore })
  },
)

test.each([undefined, '', 'scores=', 'scores=-1', 'scores=5 ', 'scores=5 uncertain=', 'another tool'])(
  'metadata %j says nothing',
  metadata => {
    expect(readPublished(60, metadata)).toBeUndefined()
  },
)
