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
  consumers: ['lib', 'signals', 'scoring', 'models', 'store', 'log'],
  api: ['lib', 'signals', 'scoring', 'models', 'store', 'log'],
  sample: ['lib', 'signals', 'scoring'],
  console: ['lib', 'signals', 'scoring', 'analysis'],
}
const PACKAGE_OWNERS: Readonly<Record<string, RegExp>> = {
  kafkajs: /^(log\/kafka|kafka-wire)\//,
  ioredis: /^store\/redis\//,
  lmdb: /^(lib\/lmdb-environment|store\/lmdb\/|log\/lmdb\/)/,
  fastify: /^api\//,
}

interface Import {
  readonly file: string
  readonly from: string
}

function importsOf(): Import[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  return files.flatMap(file => {
    const text = readFileSync(join(SRC, file), 'utf8')
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
  const imports = importsOf()

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

  test('of packages and of node stay out of scoring', () => {
    expect(imports.filter(({ file, from }) => file.startsWith('scoring/') && !from.startsWith('.'))).toEqual(
      [],
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

describe('scoring is pure and synchronous', () => {
  const files = readdirSync(join(SRC, 'scoring'), { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ts'),
  )
  test.each(files)('%s', file => {
    const code = readFileSync(join(SRC, 'scoring', file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    expect(code).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|\bprocess\.|\bawait\b|\basync\b|setTimeout|console\./,
    )
  })
})

test('only kafka-wire/hooks uses internals of kafkajs, and only log/kafka uses kafka-wire', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const code = (file: string) => readFileSync(join('src', file), 'utf8')
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
