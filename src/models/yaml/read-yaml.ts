import { Composer, type CST, isScalar, Parser } from 'yaml'
import { type Path, pointerOf } from './path.ts'
import { MAX_DEPTH, toPlainData, type YamlProblem } from './plain-data.ts'
import { type LineColumn, lineColumnsIn, sourceOffsetInText } from './positions.ts'

const MAX_BYTES = 256 * 1024
/** The rest of a badly broken file says nothing new. */
const MAX_SYNTAX_PROBLEMS = 20

export interface YamlSource {
  /** What the file says; null if it does not parse. */
  readonly data: unknown
  readonly problems: readonly YamlProblem[]
  /** Without it, the data must not be used. */
  readonly isWhole: boolean
  placeOf(offset: number): LineColumn
  /** The offset of the value at a path, or of its key; of the nearest value above it if there is none. */
  offsetOf(path: Path, part: 'key' | 'value'): number
  /** The offset of a character of the text at a path. */
  offsetInText(path: Path, textOffset: number): number
}

/** Reads one YAML 1.2 document. Whatever the text is, it answers; what is wrong is in `problems`. */
export function readYaml(text: string): YamlSource {
  // A byte order mark is no column of the first line.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const placeOf = lineColumnsIn(source)
  if (Buffer.byteLength(source) > MAX_BYTES) {
    const message = `larger than ${MAX_BYTES / 1024} KiB; a model is at most that; split it`
    return withoutData(placeOf, [{ offset: 0, path: [], message }])
  }
  const tokens = [...new Parser().parse(source)]
  // The composer is recursive. Beyond some 10,000 levels it does not throw but ends the process, out of memory for a regular
  // expression at the edge of the stack (Node 20, "[" 100,000 times); the parser before it keeps its own stack.
  const deep = findTooDeep(tokens)
  if (deep !== undefined) {
    const message = `nested more than ${MAX_DEPTH} levels deep; a model needs 9`
    return withoutData(placeOf, [{ offset: deep, path: [], message }])
  }
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  const [document, second] = [...composer.compose(tokens, true, source.length)]
  const syntax: YamlProblem[] = (document?.errors ?? []).slice(0, MAX_SYNTAX_PROBLEMS).map(error => ({
    offset: error.pos[0],
    path: [],
    message: `not YAML: ${decapitalise(error.message)}; correct it here; a text with ": " or " #" in it, or a quote in front, goes in quotes`,
  }))
  if (second !== undefined) {
    const message =
      'found a second document; a file holds one model; take the --- away, or put it into a file of its own'
    syntax.push({ offset: second.range[0], path: [], message })
  }
  if (document === undefined || syntax.length > 0) return withoutData(placeOf, syntax)

  const { data, places, problems, isWhole } = toPlainData(document)
  const offsetOf = (path: Path, part: 'key' | 'value'): number => {
    const place = places.get(pointerOf(path))
    if (place === undefined) return path.length === 0 ? 0 : offsetOf(path.slice(0, -1), part)
    const value = place.node?.range?.[0]
    // An empty value has no place of its own.
    const isEmpty = isScalar(place.node) && place.node.source === ''
    if (part === 'key' || value === undefined || isEmpty) return place.keyOffset ?? value ?? 0
    return value
  }
  return {
    data,
    problems,
    isWhole,
    placeOf,
    offsetOf,
    offsetInText(path, textOffset) {
      const node = places.get(pointerOf(path))?.node
      return isScalar(node) ? sourceOffsetInText(source, node, textOffset) : offsetOf(path, 'value')
    },
  }
}

function withoutData(placeOf: YamlSource['placeOf'], problems: readonly YamlProblem[]): YamlSource {
  return {
    data: null,
    problems,
    isWhole: false,
    placeOf,
    offsetOf: () => 0,
    offsetInText: () => 0,
  }
}

/** The offset of the first token nested deeper than a model may be, found without recursion. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { token: CST.Token | null | undefined; depth: number }[] = tokens.map(token => ({
    token,
    depth: 0,
  }))
  while (open.length > 0) {
    const { token, depth } = open.pop()!
    if (token === null || token === undefined) continue
    if (depth > MAX_DEPTH) return token.offset
    if (token.type === 'document') open.push({ token: token.value, depth })
    if (!('items' in token)) continue
    for (const item of token.items) {
      open.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 })
    }
  }
  return undefined
}

function decapitalise(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
