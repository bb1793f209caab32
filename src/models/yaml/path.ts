/** A place in a model's data: keys of mappings and indexes of lists, from the top. */
export type Path = readonly (string | number)[]

/** As a JSON pointer (RFC 6901), the form in which ajv names places. */
export function pointerOf(path: Path): string {
  return path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export function pathOfPointer(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** For people: `groups.usage.rules.breadth.cases[1].when`. */
export function describePath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number' || /^\d+$/.test(step)) text += `[${step}]`
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(cut(step))}]`
  }
  return text
}

/** A value as it was found, short enough for a message. */
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
