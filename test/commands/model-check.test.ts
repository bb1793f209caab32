import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { buildCli, runCli, temporaryFolder } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

const GOOD = `id: seats
version: 2
name: Seats
score: { scale: 10, max: 100 }
features:
  users: { distinctUsers: { within: 30d } }
groups:
  usage:
    weight: 1
    max: 10
    rules:
      users: { of: users, bands: [{ from: 3, points: 10 }] }
tiers:
  - { name: cold, from: 0 }
  - { name: hot, from: 50 }
`

describe('upswell model check', { timeout: 60_000 }, () => {
  test('finds the shipped models valid, from any working directory', async () => {
    const { code, stdout, stderr } = await runCli(main, ['model', 'check'], { cwd: '/' })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /\/expansion-revenue-score\.yaml: expansion-revenue-score version 1 is valid: \d+ features, \d+ rules, \d+ triggers\n$/,
    )
  })

  test('names files by the given path', async () => {
    const { code, stdout } = await runCli(main, ['model', 'check', 'bench/rolling-score.yaml', 'models'], {
      cwd: PACKAGE_ROOT,
    })
    expect(code).toBe(0)
    const shipped = (await readdir(join(PACKAGE_ROOT, 'models'))).sort()
    expect(stdout.split('\n')).toEqual([
      'bench/rolling-score.yaml: rolling-score version 1 is valid: 4 features, 4 rules, 0 triggers',
      ...shipped.map(file => expect.stringContaining(`models/${file}: `)),
      '',
    ])
  })

  test('prints every problem of every file as file:line:column, and nothing else: 2', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'm'))
    const bad = GOOD.replace('of: users', 'of: usres').replace('weight: 1', 'weight: heavy')
    await writeFile(join(folder, 'm/a.yaml'), bad)
    await writeFile(join(folder, 'm/b.yaml'), GOOD)
    await writeFile(join(folder, 'm/c.yml'), GOOD.replace('version: 2', 'version: two'))
    const { code, stdout, stderr } = await runCli(main, ['model', 'check', 'm'], { cwd: folder })
    expect([code, stdout]).toEqual([2, ''])
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^m\/a\.yaml:9:13: found "heavy"; accepted: /),
      expect.stringMatching(/^m\/a\.yaml:12:20: .*usres.*users/),
      expect.stringMatching(/^m\/c\.yml:2:10: found "two"; accepted: a whole number/),
    ])
  })

  test('checks the files of UPSWELL_MODELS if no file is given', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'mine.yaml'), GOOD)
    const env = { UPSWELL_MODELS: 'mine.yaml' }
    const { code, stdout } = await runCli(main, ['model', 'check'], { cwd: folder, env })
    expect([code, stdout]).toEqual([
      0,
      'mine.yaml: seats version 2 is valid: 1 features, 1 rules, 0 triggers\n',
    ])
  })

  test('names a missing file and an empty folder: 2', async () => {
    const folder = await temporaryFolder()
    const missing = await runCli(main, ['model', 'check', 'nowhere.yaml'], { cwd: folder })
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^upswell: INVALID_SETTINGS: cannot read the scoring models in nowhere\.yaml: ENOENT: .*\n$/,
      ),
    ])
    const empty = await runCli(main, ['model', 'check', '.'], { cwd: folder })
    expect([empty.code, empty.stderr]).toEqual([
      2,
      'upswell: INVALID_SETTINGS: there is no scoring model (*.yaml, *.yml) in .\n',
    ])
  })
})
