/** The way to a value in a model's data: keys of mappings and indexes of lists, from the top. */
export type Path = readonly (string | number)[]

/** A path as a JSON pointer (RFC 6901), which is how ajv names a value. */
export function pointerOf(path: Path): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export function pathOfPointer(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A path for people: `groups.usage.rules.breadth.cases[1].when`. */
export function describePath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number' || /^\d+$/.test(step)) text += `[${step}]`
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(cut(step))}]`
  }
  return text
}

/** A value from the file, short enough for a message. */
export function describeFound(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'a block of keys'
  return String(value)
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
