import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml'
import { describeFound, type Path, pointerOf } from './path.ts'

/** Room for two lists of 10,000 accounts and 200 examples. An alias counts as all values that it repeats. */
const MAX_NODES = 40_000
/** A model needs 9 levels. */
export const MAX_DEPTH = 40
const MAX_ALIASES = 20

/** The YAML node of a value, and the offset of its key if the value is in a mapping. */
export interface LocatedNode {
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
  /** The node of every value. The key is a JSON pointer. */
  readonly nodes: ReadonlyMap<string, LocatedNode>
  readonly problems: readonly YamlProblem[]
  /**
   * False: values are missing from `data`, so it must not be checked further. (A refused key does not count.)
   */
  readonly isWhole: boolean
}

/**
 * Turns a YAML document into plain data, and finds the node of every value. Reports as problems: duplicate
 * keys, `__proto__`, tags, and aliases that have no anchor or multiply the file beyond its limits.
 *
 * Takes linear time. (The yaml package's own check for duplicate keys is quadratic, so it is turned off.)
 */
export function toPlainData(document: Document): PlainData {
  const nodes = new Map<string, LocatedNode>()
  const problems: YamlProblem[] = []
  const anchors = new Map<string, Node>()
  let count = 0
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
      nodes.set(pointerOf(path), { node: undefined, keyOffset })
      return null
    }
    nodes.set(pointerOf(path), { node, keyOffset })
    count += 1
    if (count === MAX_NODES + 1) {
      return refuse(node, path, `more than ${MAX_NODES} values, aliases expanded; split the model`)
    }
    if (count > MAX_NODES) return null
    if (path.length > MAX_DEPTH) {
      return refuse(node, path, `nested more than ${MAX_DEPTH} levels deep; a model needs 9`)
    }
    if (isAlias(node)) return convertAlias(node.source, node, path, keyOffset)
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (node.tag !== undefined) return refuseTag(node, path)
    if (isMap(node)) return convertMap(node, path)
    if (isSeq(node)) return node.items.map((item, index) => convert(item, [...path, index], undefined))
    // A reader takes -0 and 0 for the same number, so a model holds only 0.
    return Object.is(node.value, -0) ? 0 : node.value
  }

  function refuseTag(node: Node, path: Path): null {
    return refuse(node, path, `found the tag ${describeFound(node.tag)}; no tags are accepted; remove it`)
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
        add(key, keyPath, 'found the key "__proto__"; it is never accepted; remove it')
      } else if (key.value in data) {
        add(
          key,
          keyPath,
          `the key ${describeFound(key.value)} is given twice; a key is given once; delete one of them`,
        )
      } else {
        data[key.value] = convert(value, keyPath, key.range?.[0])
      }
    }
    return data
  }

  const data = convert(document.contents, [], undefined)
  return { data, nodes, problems, isWhole }
}
