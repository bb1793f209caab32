/** The place of a record in the signals topic, as `ce_sequence` of an event and the answer of `POST /v1/signals` give it. */
export interface Sequence {
  readonly partition: number
  readonly offset: number
}

/** Both numbers are exact in a double. */
export const SEQUENCE_PATTERN = '^(0|[1-9][0-9]{0,8}):(0|[1-9][0-9]{0,14})$'

/** `text` fits `SEQUENCE_PATTERN`. */
export function parseSequence(text: string): Sequence {
  const [partition, offset] = text.split(':').map(Number)
  return { partition: partition!, offset: offset! }
}

export function formatSequence({ partition, offset }: Sequence): string {
  return `${partition}:${offset}`
}
