/**
 * A record's partition and offset in `signals`, as in an event's `ce_sequence` and the answer of `POST
 * /v1/signals`.
 */
export interface Sequence {
  readonly partition: number
  readonly offset: number
}

/** `partition:offset`. Both numbers are exact in a double. */
export const SEQUENCE_PATTERN = '^(0|[1-9][0-9]{0,8}):(0|[1-9][0-9]{0,14})$'

/** @param text matches `SEQUENCE_PATTERN` */
export function parseSequence(text: string): Sequence {
  const [partition, offset] = text.split(':').map(Number)
  return { partition: partition!, offset: offset! }
}

export function formatSequence({ partition, offset }: Sequence): string {
  return `${partition}:${offset}`
}
