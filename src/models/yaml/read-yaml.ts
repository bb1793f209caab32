import { Composer, type CST, isScalar, Parser } from 'yaml'
import { type Path, pointerOf } from './path.ts'
import { MAX_DEPTH, toPlainData, type YamlProblem } from './plain-data.ts'
import { type LineColumn, lineColumnsIn, sourceOffset } from './positions.ts'

const MAX_BYTES = 256 * 1024
/** Further problems of a badly broken file only repeat these. */
const MAX_SYNTAX_PROBLEMS = 20

export interface YamlSource {
  /** The file's content; null if it does not parse. */
  readonly data: unknown
  readonly problems: readonly YamlProblem[]
  /** False: `data` is incomplete and must not be used. */
  readonly isWhole: boolean
  lineColumnAt(offset: number): LineColumn
  /** The offset of the value (or key) at a path; without such a value: of the nearest one above. */
  offsetOf(path: Path, part: 'key' | 'value'): number
  /** The offset of a character. `textOffset` counts within the text at the path. */
  offsetInText(path: Path, textOffset: number): number
}

/** Reads one YAML 1.2 document. Never throws: everything wrong with the text is in `problems`. */
export function readYaml(text: string): YamlSource {
  // A byte order mark does not count as a column of the first line.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lineColumnAt = lineColumnsIn(source)
  if (Buffer.byteLength(source) > MAX_BYTES) {
    const message = `larger than ${MAX_BYTES / 1024} KiB; a model is at most that; split it`
    return withoutData(lineColumnAt, [{ offset: 0, path: [], message }])
  }
  const tokens = [...new Parser().parse(source)]
  // The composer is recursive. Beyond about 10,000 levels it does not throw but ends the process: a regular
  // expression runs out of memory at the edge of the stack (Node 20, "[" 100,000 times). The parser before it
  // keeps its own stack, so its tokens are safe to check first.
  const deep = findTooDeep(tokens)
  if (deep !== undefined) {
    const message = `nested more than ${MAX_DEPTH} levels deep; a model needs 9`
    return withoutData(lineColumnAt, [{ offset: deep, path: [], message }])
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
      'found a second document; a file holds one model; remove the ---, or put it into a file of its own'
    syntax.push({ offset: second.range[0], path: [], message })
  }
  if (document === undefined || syntax.length > 0) return withoutData(lineColumnAt, syntax)

  const { data, nodes, problems, isWhole } = toPlainData(document)
  const offsetOf = (path: Path, part: 'key' | 'value'): number => {
    const located = nodes.get(pointerOf(path))
    if (located === undefined) return path.length === 0 ? 0 : offsetOf(path.slice(0, -1), part)
    const { node, keyOffset } = located
    const valueOffset = node?.range?.[0]
    // For an empty value, point at its key.
    const isEmpty = isScalar(node) && node.source === ''
    if (part === 'key' || valueOffset === undefined || isEmpty) return keyOffset ?? valueOffset ?? 0
    return valueOffset
  }
  return {
    data,
    problems,
    isWhole,
    lineColumnAt,
    offsetOf,
    offsetInText(path, textOffset) {
      const node = nodes.get(pointerOf(path))?.node
      return isScalar(node) ? sourceOffset(source, node, textOffset) : offsetOf(path, 'value')
    },
  }
}

function withoutData(lineColumnAt: YamlSource['lineColumnAt'], problems: readonly YamlProblem[]): YamlSource {
  return {
    data: null,
    problems,
    isWhole: false,
    lineColumnAt,
    offsetOf: () => 0,
    offsetInText: () => 0,
  }
}

/** The offset of a token that is nested deeper than a model may be. Found without recursion. */
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
