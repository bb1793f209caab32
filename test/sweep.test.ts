import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { PACKAGE_ROOT } from '../src/app/config.ts'

function start(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }) {
  const child = spawn(command, args, {
    stdio: ['pipe', 'ignore', 'inherit'],
    ...options,
    env: { ...process.env, ...options.env },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

const sleeper = (options: Parameters<typeof start>[2]) => start('sleep', ['600'], options)
const runs = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

describe('the end of a run', () => {
  test('kills its processes and removes its folder, once its owner is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'run-'))
    const nested = await mkdtemp(join(folder, 'nested-'))
    const own = [sleeper({ env: { TMPDIR: folder } }), sleeper({ env: { TMPDIR: nested } })]
    if (existsSync('/proc/self/cwd')) own.push(sleeper({ cwd: nested, env: { TMPDIR: '/elsewhere' } }))
    const other = sleeper({ env: { TMPDIR: join(tmpdir(), 'run') } })
    await Promise.all([...own, other].map(child => once(child, 'spawn')))

    const sweep = start('sh', [join(PACKAGE_ROOT, '.ci/sweep'), folder], {})
    await once(sweep, 'spawn')
    expect(own.every(runs)).toBe(true)
    const ended = own.map(child => once(child, 'exit'))
    sweep.stdin!.end()
    await Promise.all([...ended, once(sweep, 'exit')])
    expect(existsSync(folder)).toBe(false)
    expect(runs(other)).toBe(true)
  })
})

test('a test file works in an empty folder', () => {
  expect(readdirSync('.')).toEqual([])
})
