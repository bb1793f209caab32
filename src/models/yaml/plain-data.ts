import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml'
import { describeFound, type Path, pointerOf } from './path.ts'

/** Room for two lists of 10,000 accounts and 200 examples. Aliases count with everything that they stand for. */
const MAX_NODES = 40_000
/** A model is 9 levels deep. */
export const MAX_DEPTH = 40
const MAX_ALIASES = 20

/** Where a value of the data stands in the YAML: its node, and the offset of its key if it is in a mapping. */
export interface NodePlace {
  readonly node: Node | undefined
  readonly keyOffset: number | undefined
}

export interface YamlProblem {
  readonly offset: number
  readonly path: Path
  readonly message: string
}

export interface PlainData {
  /** Objects have no prototype, so that no key can reach one. */
  readonly data: unknown
  /** By JSON pointer. */
  readonly places: ReadonlyMap<string, NodePlace>
  readonly problems: readonly YamlProblem[]
  /** Nothing of the data is left out, but for keys that are refused: all the rest can be checked too. */
  readonly isWhole: boolean
}

/**
 * A YAML document as plain data, with the place of every value. Refuses, as problems: keys given twice, `__proto__`,
 * tags, and aliases that lead nowhere or multiply the file beyond bounds. Takes time linear in the file and its bounds (the
 * yaml package's own check for duplicate keys is quadratic, and is turned off).
 */
export function toPlainData(document: Document): PlainData {
  const places = new Map<string, NodePlace>()
  const problems: YamlProblem[] = []
  const anchors = new Map<string, Node>()
  let nodes = 0
  let aliases = 0
  let isWhole = true

  const add = (node: Node, path: Path, message: string): void => {
    problems.push({ offset: node.range?.[0] ?? 0, path, message })
  }
  const refuse = (node: Node, path: Path, message: string): null => {
    isWhole = false
    add(node, path, message)
    return null
  }

  function convert(node: unknown, path: Path, keyOffset: number | undefined): unknown {
    if (!isAlias(node) && !isMap(node) && !isSeq(node) && !isScalar(node)) {
      places.set(pointerOf(path), { node: undefined, keyOffset })
      return null
    }
    places.set(pointerOf(path), { node, keyOffset })
    nodes += 1
    if (nodes === MAX_NODES + 1) {
      return refuse(node, path, `more than ${MAX_NODES} values, aliases expanded; split the model`)
    }
    if (nodes > MAX_NODES) return null
    if (path.length > MAX_DEPTH) {
      return refuse(node, path, `nested more than ${MAX_DEPTH} levels deep; a model needs 9`)
    }
    if (isAlias(node)) return convertAlias(node.source, node, path, keyOffset)
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (node.tag !== undefined) return refuseTag(node, path)
    if (isMap(node)) return convertMap(node, path)
    if (isSeq(node)) return node.items.map((item, index) => convert(item, [...path, index], undefined))
    // -0 and 0 are one number to a reader, and must be one in a frozen model.
    return Object.is(node.value, -0) ? 0 : node.value
  }

  function refuseTag(node: Node, path: Path): null {
    return refuse(node, path, `found the tag ${describeFound(node.tag)}; no tags are accepted; take it away`)
  }

  function convertAlias(name: string, node: Node, path: Path, keyOffset: number | undefined): unknown {
    aliases += 1
    if (aliases > MAX_ALIASES) {
      if (aliases > MAX_ALIASES + 1) return null
      return refuse(node, path, `more than ${MAX_ALIASES} aliases, expanded; write the values out`)
    }
    const target = anchors.get(name)
    if (target === undefined) {
      return refuse(node, path, `the alias *${name} has no anchor before it; write &${name} at the value`)
    }
    return convert(target, path, keyOffset)
  }

  function convertMap(map: YAMLMap, path: Path): unknown {
    const data: Record<string, unknown> = Object.create(null)
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        refuse(
          isScalar(key) || isAlias(key) ? key : map,
          path,
          'found a key that is not a text; write a name',
        )
        continue
      }
      const keyPath = [...path, key.value]
      if (key.value === '__proto__') {
        add(key, keyPath, 'found the key "__proto__"; it is never accepted; take it away')
      } else if (key.value in data) {
        add(
          key,
          keyPath,
          `${describeFound(key.value)} is here twice; a key is given once; delete one of them`,
        )
      } else {
        data[key.value] = convert(value, keyPath, key.range?.[0])
      }
    }
    return data
  }

  const data = convert(document.contents, [], undefined)
  return { data, places, problems, isWhole }
}
