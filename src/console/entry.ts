import type { Segment, Style } from './render-line.ts'
import { plainText } from './terminal-text.ts'

/** What is said of an event, in the order in which it is read. */
export interface Entry {
  readonly badge: string
  readonly style: Style
  readonly what: readonly Segment[]
  readonly why: Segment | undefined
  /** Between `what` and `why` if they stand on one line; undefined: they never do. */
  readonly joint: string | undefined
  readonly next: Segment | undefined
}

/** Undefined if there is nothing to say. */
export function textSegment(text: string, style: Style, before = ''): Segment | undefined {
  const plain = plainText(text)
  return plain === '' ? undefined : { text: before + plain, style }
}
