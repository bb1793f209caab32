import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'

const PAGE = read('docs/log-messages.md')
/** These pass on the messages of others. */
const CARRIERS = [/^src\/lib\/(logger|without-repeats)\.ts$/, /^src\/commands\/(?!run\.ts|service-log\.ts)/]
const CALL = /\b(?:logger|own|lines)(?:\??\.(debug|info|warn|error|fatal)(?:\?\.)?|\[[^\]]*\](?:\?\.)?)\(/g

/** What begins the text of each thing that fails and is tried again, and where it is in the code. */
const PARTS: readonly (readonly [file: string, part: string])[] = [
  ['src/lib/until-available.ts', '{role} cannot start yet'],
  ['src/app/embedded-backend.ts', '{topic}/{partition}'],
  ['src/app/score-threads/start-thread.ts', '{thread}: {part}'],
  ['src/consumers/lineage/score-lineages.ts', 'could not look for a promotion'],
  ['src/consumers/scorer/ticker.ts', '{topic} partition {partition}: could not look at the time'],
  ['src/log/kafka/fetch-ahead.ts', '{topic}/{partition} cannot be fetched'],
  ['src/log/kafka/group-consumption.ts', 'the group {group} cannot consume'],
  ['src/log/kafka/partition-consumer.ts', '{topic}/{partition}'],
  ['src/store/redis/redis-watch.ts', 'the command {command}'],
  ['src/store/redis/redis-watch.ts', 'a command of Redis at {host}:{port}'],
  ['src/store/redis/redis-watch.ts', 'Redis at {host}:{port}'],
]

function read(file: string): string {
  return readFileSync(join(PACKAGE_ROOT, file), 'utf8')
}

const FILES = readdirSync(join(PACKAGE_ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .map(file => join('src', file))
  .filter(file => file.endsWith('.ts') && !CARRIERS.some(carrier => carrier.test(file)))

interface Message {
  readonly level: string
  /** Each value in it is `{}`. */
  readonly text: string
}

interface Call extends Message {
  readonly where: string
}

/** The literals that begin at `start`, joined; undefined: there is other code before the argument ends. */
function literalAt(source: string, start: number): string | undefined {
  let text = ''
  for (let i = start; i < source.length; i++) {
    const char = source[i]!
    if (/[\s+(]/.test(char)) continue
    if (char === '/' && source[i + 1] === '/') i = source.indexOf('\n', i)
    else if (char === "'" || char === '"') {
      const end = source.indexOf(char, i + 1)
      text += source.slice(i + 1, end)
      i = end
    } else if (char === '`') {
      const template = templateAt(source, i + 1)
      text += template.text
      i = template.end
    } else return /[,)}]/.test(char) && text !== '' ? text : undefined
  }
  return undefined
}

function templateAt(source: string, start: number): { readonly text: string; readonly end: number } {
  let text = ''
  let i = start
  for (; source[i] !== '`'; i++) {
    if (source.startsWith('${', i)) {
      i = endOfValue(source, i + 2)
      text += '{}'
    } else {
      if (source[i] === '\\') i++
      text += source[i]
    }
  }
  return { text, end: i }
}

/** The index of the brace that ends a `${…}`. */
function endOfValue(source: string, start: number): number {
  let depth = 1
  let i = start
  for (; ; i++) {
    const char = source[i]!
    if (char === '`') i = templateAt(source, i + 1).end
    else if (char === "'") i = source.indexOf("'", i + 1)
    else if (char === '{') depth++
    else if (char === '}' && --depth === 0) return i
  }
}

/** The text that the function of this name in the same file returns last. */
function literalOfFunction(source: string, name: string): string | undefined {
  const defined = new RegExp(`(?:function |  #)${name}\\([\\s\\S]*?\\n {0,2}\\}\\n`).exec(source)?.[0]
  const last = defined?.lastIndexOf('return ')
  return last === undefined || last < 0 ? undefined : literalAt(`${defined!}`, last + 'return '.length)
}

function callsIn(file: string): Call[] {
  const source = read(file)
  return [...source.matchAll(CALL)].flatMap(found => {
    const level = found[1] ?? 'any'
    const where = `${file}:${source.slice(0, found.index).split('\n').length}`
    const start = found.index + found[0].length
    const name = /^\s*(?:this\.)?#?(\w+)\(/.exec(source.slice(start))?.[1]
    const text = name === undefined ? literalAt(source, start) : literalOfFunction(source, name)
    return [{ level, where, text: text ?? '' }]
  })
}

/** Calls that write a text that they were given. */
const PASSED_ON = /^src\/(commands\/service-log|app\/score-threads\/start-thread)\.ts/
const calls = FILES.flatMap(callsIn).filter(({ text, where }) => text !== '' || !PASSED_ON.test(where))

const rows: readonly Message[] = [...PAGE.matchAll(/^\| (?:``(.+?)``|`([^`]+)`) \| (any|\w+) \|/gm)].map(
  ([, long, short, level]) => ({
    level: level!,
    text: (long ?? short)!.trim().replace(/\{[^}]*\}/g, '{}'),
  }),
)

/** Without the table of codes. */
const messages = rows.filter(({ text }) => !/^[A-Z_]+$/.test(text))

const asLine = ({ level, text }: Message) => `${level}: ${text}`

test('each call of a logger in src/ begins with a text, so that it can be found', () => {
  expect(calls.filter(({ text }) => text === '').map(({ where }) => where)).toEqual([])
  expect(calls.length).toBeGreaterThan(30)
})

test('docs/log-messages.md has each message of the code, with its level', () => {
  const known = new Set(messages.map(asLine))
  expect(calls.filter(call => !known.has(asLine(call))).map(call => `${call.where} ${asLine(call)}`)).toEqual(
    [],
  )
})

test('docs/log-messages.md has no message that the code does not have', () => {
  const written = new Set(calls.map(asLine))
  expect(messages.map(asLine).filter(line => !written.has(line))).toEqual([])
})

test('docs/log-messages.md has each thing that fails and is tried again', () => {
  const reporting = FILES.filter(
    file => /[oO]utages\??\.failed\(/.test(read(file)) && file !== 'src/lib/outages.ts',
  )
  expect([...new Set(PARTS.map(([file]) => file))].sort()).toEqual(reporting.sort())
  for (const [, part] of PARTS) expect(PAGE).toContain(`\`${part}\``)
})

test('docs/log-messages.md has each error code', () => {
  const [, codes] = /export type ErrorCode =\n([\s\S]*?)\n\n/.exec(read('src/lib/errors.ts'))!
  const names = [...codes!.matchAll(/'(\w+)'/g)].map(([, name]) => name!)
  const listed = [...PAGE.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name!)
  expect(listed.sort()).toEqual(names.sort())
})

test('a message in the code is found, whatever it is made of', () => {
  const source = ['logger.warn(`a $', '{b ? `c $', "{d}` : 'e'} f` + 'g', { partition })"].join('')
  expect(literalAt(source, 'logger.warn('.length)).toBe('a {} fg')
  expect(literalAt('logger.warn(text)', 'logger.warn('.length)).toBeUndefined()
})
