import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { redisCommands } from '../../src/store/redis/redis-commands.ts'

const FOLDER = join(PACKAGE_ROOT, 'src/store/redis')
/** They inspect; the store works without them. */
const NOT_OF_THE_STORE = ['inspect-redis.ts', 'redis-commands.ts']
/** Members of a client that are no commands, and scripts, which run by EVAL and EVALSHA. */
const NO_COMMANDS = new Set(
  ['on', 'connect', 'disconnect', 'quit', 'pipeline', 'call', 'pcall', 'defineCommand', 'sendCommand'].concat(
    // Managed services refuse CONFIG; then a warning is left out.
    ['fencePartition', 'clearPartition', 'dueAccounts', 'countDueAccounts', 'config'],
  ),
)

/** The commands that the sources send, or that their scripts run. */
function usedCommands(): string[] {
  const sources = readdirSync(FOLDER)
    .filter(file => file.endsWith('.ts') && !NOT_OF_THE_STORE.includes(file))
    .map(file => readFileSync(join(FOLDER, file), 'utf8'))
    .join('\n')
  const sent = [...sources.matchAll(/\b(?:redis|pipeline)\s*\.(\w+?)(?:Buffer)?\(/g)].map(([, name]) => name!)
  const inScripts = [...sources.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name!)
  const groups = /command: ((?:'[A-Z]+'(?: \| )?)+)/.exec(sources)![1]!.match(/[A-Z]+/g)!
  // `redis.call(exists ? 'SADD' : 'SREM', …)`
  const chosen = [...sources.matchAll(/'(SADD|SREM)'/g)].map(([, name]) => name!)
  const commands = sent.filter(name => !NO_COMMANDS.has(name) && name !== 'exec')
  return [...commands, ...inScripts, ...groups, ...chosen, 'EVAL', 'EVALSHA'].map(name => name.toUpperCase())
}

test('every command that the store uses is tried by `upswell doctor`, and no other', () => {
  const tried = redisCommands(rest => rest).map(([command]) => command!)
  expect([...tried].sort()).toEqual([...new Set(usedCommands())].sort())
})

test('docs/doctor.md allows every command that is tried', () => {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs/doctor.md'), 'utf8')
  const allowed = [...page.matchAll(/\+([a-z]+)(?=[\s|])/g)].map(([, name]) => name!.toUpperCase())
  expect(allowed).toEqual(expect.arrayContaining(redisCommands(rest => rest).map(([command]) => command)))
})
