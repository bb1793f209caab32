// The characters that nobody sees at the ends of a text. They are written out, since `\s` means less in other
// languages than in JavaScript, and the JSON Schemas use the same lists:
//
//   INVISIBLE   control characters, white space of Unicode, zero-width space, word joiner, byte order mark
//   CONTROL     C0, DEL, C1, and the line and paragraph separators: in no place of an id or a name
const INVISIBLE =
  '\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u2060\\u3000\\ufeff'
const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029'

/** JSON Schema: an id or a name, neither blank nor untidy. */
export const TIDY_PATTERN = `^[^${INVISIBLE}]([^${CONTROL}]*[^${INVISIBLE}])?$`
/** JSON Schema: a text that is blank. */
export const BLANK_PATTERN = `^[${INVISIBLE}]*$`
/** JSON Schema: a text that is not blank. */
export const VISIBLE_PATTERN = `[^${INVISIBLE}]`

const VISIBLE = new RegExp(VISIBLE_PATTERN)
const HAS_CONTROL = new RegExp(`[${CONTROL}]`)
const HAS_INVISIBLE_END = new RegExp(`^[${INVISIBLE}]|[${INVISIBLE}]$`)
/** Control and format characters, line and paragraph separators. */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const HIDDEN = new RegExp(`(?! )[${INVISIBLE}]`, 'g')

/** Whether a text is empty, or has invisible characters only. Such a text is no value. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text)
}

/** Why a text cannot be an id or a name, as the end of a sentence; undefined: it can. */
export function untidiness(text: string): string | undefined {
  if (isBlank(text)) return 'is blank'
  if (HAS_CONTROL.test(text)) return 'holds a control character'
  return HAS_INVISIBLE_END.test(text)
    ? 'begins or ends with white space or an invisible character'
    : undefined
}

/** The text on one line, with escapes for what would break it, act on a terminal, or turn its direction. */
export function withoutControls(text: string): string {
  return text.replace(ACTING, acting =>
    Array.from({ length: acting.length }, (_, i) => escaped(acting, i)).join(''),
  )
}

/** A text in quotes, with escapes for what nobody would see. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(HIDDEN, hidden => escaped(hidden, 0))
}

function escaped(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
}
