import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { Finding } from '../../../src/commands/doctor/finding.ts'
import { buildCli, CliProcess, type Environment, runCli, temporaryFolder } from '../cli.ts'

let main: string
beforeAll(async () => {
  main = await buildCli()
}, 150_000)

async function examine(env: Environment, ...options: string[]) {
  const { code, stdout, stderr } = await runCli(main, ['doctor', '--json', ...options], { env })
  expect(stderr).toBe('')
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] }
  return { code, findings, states: Object.fromEntries(findings.map(({ check, state }) => [check, state])) }
}

const PROCESS_AND_FOLDER = ['node', 'memory', 'model-files', 'folder', 'folder-space', 'folder-process']

test('a folder that is not there yet is ok, and is not created', { timeout: 60_000 }, async () => {
  const folder = join(await temporaryFolder(), 'data')
  const { code, findings } = await examine({ UPSWELL_DATA_DIR: folder })
  expect(code).toBe(0)
  expect(findings.map(({ check }) => check)).toEqual(PROCESS_AND_FOLDER)
  expect(findings[3]?.found).toContain('holds no data')
  expect(existsSync(folder)).toBe(false)
})

test('models that cannot be used, and a folder of something else, are problems', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'data.mdb'), 'no LMDB'.repeat(1_000))
  const { code, states } = await examine({ UPSWELL_DATA_DIR: folder, UPSWELL_MODELS: join(folder, 'none') })
  expect([code, states['folder'], states['model-files']]).toEqual([1, 'problem', 'problem'])
  expect(states['folder-process']).toBe('not checked')
}, 60_000)

test('the folder of a service that runs is checked, with its log and store', async () => {
  const folder = await temporaryFolder()
  await mkdir(folder, { recursive: true })
  const env = { UPSWELL_DATA_DIR: folder, UPSWELL_PORT: '0' }
  const upswell = new CliProcess(main, ['start', '--empty'], { env }).endWithTest()
  await upswell.says(/http:\/\//)
  const { code, findings, states } = await examine(env)
  expect([code, findings.filter(({ state }) => state === 'problem')]).toEqual([0, []])
  expect(findings.map(({ check }) => check)).toEqual([
    ...PROCESS_AND_FOLDER,
    ...['active-models', 'model-names', 'log-beginning', 'store-partitions', 'store-position'],
    ...['dead-letters', 'replays'],
  ])
  expect(findings[5]?.found).toBe('a process scores in it')
  expect(states['active-models']).toBe('ok')
}, 120_000)

test('a wrong setting is a wrong use: 2', async () => {
  const { code, stdout } = await runCli(main, ['doctor'], { env: { UPSWELL_PORT: 'http' } })
  expect([code, stdout]).toEqual([2, ''])
}, 60_000)
