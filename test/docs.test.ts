import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'
import { buildCli, runCli } from './commands/cli.ts'

const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'bench/README.md',
  'src/kafka-wire/README.md',
  ...readdirSync(join(PACKAGE_ROOT, 'docs')).map(file => join('docs', file)),
]

describe.each(PAGES)('%s', page => {
  const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8')

  test('links to what is there', () => {
    const targets = [...text.matchAll(/\]\(([^)#]+)\)/g)]
      .map(([, target]) => target!)
      .filter(target => !target.includes('://'))
    expect(targets.filter(target => !existsSync(join(PACKAGE_ROOT, dirname(page), target)))).toEqual([])
  })

  test('links to headings that are there', () => {
    const targets = [...text.matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)]
    const lost = targets
      .filter(([, file, anchor]) => {
        const target = join(PACKAGE_ROOT, file === '' ? page : join(dirname(page), file!))
        return existsSync(target) && !anchorsIn(readFileSync(target, 'utf8')).has(anchor!)
      })
      .map(([link]) => link)
    expect(lost).toEqual([])
  })

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = [...text.matchAll(/npm (?:run )?(start|test|bench|run [a-z]+)\b/g)].map(([, name]) =>
      name!.replace('run ', ''),
    )
    expect(named.filter(name => scripts[name] === undefined)).toEqual([])
  })
})

/** The anchors that GitHub gives to a page's headings. */
function anchorsIn(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Words that are commands of a command; what else follows one is an argument. */
const SUBCOMMANDS = new Set(
  ['topics create', 'model check', 'model test', 'model diff'].concat(
    ['list', 'diff', 'promote', 'drop'].map(word => `replay ${word}`),
  ),
)

/** `upswell send FILE --clock event`: the words of the command, and its options. */
function commandLines(): { page: string; command: string[]; options: string[] }[] {
  return PAGES.flatMap(page => {
    const blocks = [...readFileSync(join(PACKAGE_ROOT, page), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
      ([, block]) => block!,
    )
    return blocks.flatMap(block =>
      [...block.matchAll(/^npx upswell ([^#\n]*)/gm)].map(([, line]) => {
        const words = line!.trim().split(/\s+/)
        const command = words.slice(0, SUBCOMMANDS.has(words.slice(0, 2).join(' ')) ? 2 : 1)
        return { page, command, options: words.filter(word => word.startsWith('--')) }
      }),
    )
  })
}

describe('commands in the pages', { timeout: 120_000 }, () => {
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  }, 120_000)

  test.each(commandLines())('$page: upswell $command $options', async ({ command, options }) => {
    const { code, stdout } = await runCli(main, [...command, '--help'])
    expect(code).toBe(0)
    for (const option of options) expect(stdout).toContain(option)
  })
})
