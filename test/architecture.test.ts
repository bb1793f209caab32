import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'

const SRC = join(PACKAGE_ROOT, 'src')

/** The folders of src/ that each folder may import from; ARCHITECTURE.md gives the reasons. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  'kafka-wire': [],
  signals: ['lib'],
  scoring: ['lib', 'signals'],
  models: ['lib', 'signals', 'scoring'],
  analysis: ['lib', 'signals', 'scoring'],
  store: ['lib', 'signals', 'scoring'],
  log: ['lib', 'signals', 'scoring', 'models', 'kafka-wire'],
  consumers: ['lib', 'signals', 'scoring', 'models', 'analysis', 'store', 'log'],
  api: ['lib', 'signals', 'scoring', 'models', 'analysis', 'store', 'log'],
  sample: ['lib', 'signals', 'scoring'],
  console: ['lib', 'signals', 'scoring', 'analysis'],
}
const PACKAGE_OWNERS: Readonly<Record<string, RegExp>> = {
  kafkajs: /^(log\/kafka|kafka-wire)\//,
  ioredis: /^store\/redis\//,
  lmdb: /^(lib\/lmdb\/lmdb-environment|store\/lmdb\/|log\/lmdb\/)/,
  fastify: /^api\//,
}

interface Import {
  readonly file: string
  readonly from: string
}

function importsOf(root: string): Import[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  return files.flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8')
    return [...text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'/gm)].map(([, from]) => ({
      file,
      from: from!,
    }))
  })
}

/** `scoring/fold.ts` and `../models/x.ts` → `models`. */
function folderOf({ file, from }: Import): string {
  const path = join(file, '..', from)
  return path.includes('/') ? path.split('/')[0]! : path.replace(/\.ts$/, '')
}

describe('imports', () => {
  const imports = importsOf(SRC)

  test('are found', () => {
    expect(imports.length).toBeGreaterThan(300)
  })

  test.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (folder, allowed) => {
    const foreign = imports
      .filter(({ file, from }) => file.startsWith(`${folder}/`) && from.startsWith('.'))
      .filter(
        found =>
          folderOf(found) !== folder &&
          !allowed.includes(folderOf(found)) &&
          !found.from.includes('/schemas/'),
      )
    expect(foreign).toEqual([])
  })

  test('in scoring name no package but the hash of event ids, and nothing of Node', () => {
    const packages = imports.filter(({ file, from }) => file.startsWith('scoring/') && !from.startsWith('.'))
    expect(packages).toEqual(
      ['@noble/hashes/sha2.js', '@noble/hashes/utils.js'].map(from => ({
        file: 'scoring/decisions/event-id.ts',
        from,
      })),
    )
  })

  test.each(Object.entries(PACKAGE_OWNERS))('of %s stay behind its adapter', (name, owners) => {
    expect(
      imports.filter(
        ({ file, from }) => (from === name || from.startsWith(`${name}/`)) && !owners.test(file),
      ),
    ).toEqual([])
  })
})

test.each(['src', 'test', 'bench'])('%s has no cycle of imports, of types neither', root => {
  const folder = join(PACKAGE_ROOT, root)
  const graph = new Map<string, string[]>()
  for (const { file, from } of importsOf(folder)) {
    if (!from.startsWith('.')) continue
    const imported = graph.get(file) ?? []
    imported.push(join(file, '..', from))
    graph.set(file, imported)
  }
  expect(findCycle(graph)).toBeUndefined()
})

/** The files of one cycle, the first one repeated at the end. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const imported of graph.get(file) ?? []) {
      const cycle = visit(imported, [...path, file])
      if (cycle !== undefined) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}

test('a cycle of imports is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['d', ['b']],
  ])
  expect(findCycle(graph)).toEqual(['b', 'd', 'b'])
})

describe.each(['scoring', 'signals', 'analysis'])('%s is pure and synchronous', folder => {
  const files = readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ts'),
  )
  test.each(files)('%s', file => {
    const code = readFileSync(join(SRC, folder, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    expect(code).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|\bprocess\.|\bawait\b|\basync\b|setTimeout|console\./,
    )
  })
})

test('only kafka-wire/hooks uses internals of kafkajs, and only log/kafka uses kafka-wire', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const code = (file: string) => readFileSync(join(SRC, file), 'utf8')
  const intruders = files.filter(file => code(file).includes('kafkajs/src/'))
  expect(intruders.filter(file => !file.startsWith('kafka-wire/hooks/'))).toEqual([])
  const users = files.filter(file => !file.startsWith('kafka-wire/') && code(file).includes('/kafka-wire/'))
  expect(users.filter(file => !file.startsWith('log/kafka/'))).toEqual([])
})

test('only config.ts reads the environment', () => {
  const readers = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    file => file.endsWith('.ts') && readFileSync(join(SRC, file), 'utf8').includes('process.env'),
  )
  expect(readers).toEqual(['app/config.ts'])
})
