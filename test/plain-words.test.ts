import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'

const COLUMNS = 110
const DOCSTRING_WORDS = 60
/** A room is looked over at one glance. */
const FILES_IN_A_FOLDER = 25
/** Words that made sentences hard to read, and words of which the glossary has another. */
const AVOIDED = [
  /\banew\b/i,
  /\bwhoever\b/i,
  /\bthat which\b/i,
  /\bof which\b/i,
  /\bthose of\b/i,
  /\bthe one that\b/i,
  /\b(stands|lies)\b/i,
  /\btold\b/i,
]
const FRAGMENT = /^(Of|By) /

const ROOTS = ['src', 'test', 'bench']
const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['bench/README.md', 'src/kafka-wire/README.md'],
  ...readdirSync(join(PACKAGE_ROOT, 'docs')).map(name => join('docs', name)),
]
/** It names the words that it avoids. */
const OWN = 'test/plain-words.test.ts'

const files = ROOTS.flatMap(root =>
  readdirSync(join(PACKAGE_ROOT, root), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(root, name)),
).filter(file => file !== OWN)

function read(file: string): string {
  return readFileSync(join(PACKAGE_ROOT, file), 'utf8')
}

interface Line {
  readonly where: string
  readonly text: string
  readonly columns: number
}

/** The lines of a source file that are comments, or end in one. */
function commentLines(file: string): Line[] {
  return read(file)
    .split('\n')
    .flatMap((line, i) => {
      const text = /^\s*(?:\/\/|\/?\*)(.*)/.exec(line)?.[1] ?? / \/\/ (.*)$/.exec(line)?.[1]
      if (text === undefined || text.includes('biome-ignore')) return []
      return [{ where: `${file}:${i + 1}`, text, columns: line.length }]
    })
}

/** The lines of a page, without its examples. */
function prose(page: string): Line[] {
  return read(page)
    .replace(/```[\s\S]*?```/g, example => example.replace(/[^\n]/g, ''))
    .split('\n')
    .map((text, i) => ({ where: `${page}:${i + 1}`, text, columns: text.length }))
}

function docstrings(file: string): { readonly where: string; readonly text: string }[] {
  const source = read(file)
  return [...source.matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(found => ({
    where: `${file}:${source.slice(0, found.index).split('\n').length}`,
    text: found[1]!.replace(/^\s*\* ?/gm, ' ').trim(),
  }))
}

describe('comments', () => {
  const comments = files.flatMap(commentLines)

  test('are found', () => {
    expect(comments.length).toBeGreaterThan(3_000)
  })

  test(`wrap at ${COLUMNS} columns`, () => {
    expect(comments.filter(({ columns }) => columns > COLUMNS).map(({ where }) => where)).toEqual([])
  })

  test('use plain words', () => {
    expect(avoidedIn(comments)).toEqual([])
  })
})

describe('docstrings', () => {
  const found = files.flatMap(docstrings)

  test(`have at most ${DOCSTRING_WORDS} words`, () => {
    const long = found.filter(({ text }) => text.split(/\s+/).length > DOCSTRING_WORDS)
    expect(long.map(({ where }) => where)).toEqual([])
  })

  test('are sentences, and do not begin with "Of" or "By"', () => {
    expect(found.filter(({ text }) => FRAGMENT.test(text)).map(({ where }) => where)).toEqual([])
  })
})

test.each(PAGES)('%s uses plain words', page => {
  expect(avoidedIn(prose(page))).toEqual([])
})

test(`no folder holds more than ${FILES_IN_A_FOLDER} files`, () => {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  expect([...counts].filter(([, count]) => count > FILES_IN_A_FOLDER)).toEqual([])
})

function avoidedIn(lines: readonly Line[]): string[] {
  return lines.flatMap(({ where, text }) =>
    AVOIDED.filter(word => word.test(text)).map(word => `${where} ${word.exec(text)![0]}`),
  )
}
