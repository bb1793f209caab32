import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { buildCli, CliProcess, type Environment, runCli, temporaryFolder } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

/** As in the image, where nobody has set `KAFKA_BROKERS`. */
async function forgetful(): Promise<Environment & { UPSWELL_DATA_DIR: string }> {
  const folder = await temporaryFolder()
  return { NODE_ENV: 'production', UPSWELL_DATA_DIR: join(folder, 'data'), UPSWELL_PORT: '0' }
}

describe('in production without KAFKA_BROKERS', { timeout: 120_000 }, () => {
  test.each([
    [['start']],
    [['send', '-']],
    [['rebuild']],
    [['parity']],
    [['replay', 'diff', 'v2']],
    [['backtest', '--model', join(PACKAGE_ROOT, 'models/expansion-revenue-score.yaml')]],
    [['replay', '--into', 'v2']],
    [['replay', 'list']],
    [['topics', 'create']],
  ])('upswell %s says what is missing, and begins nothing', async args => {
    const env = await forgetful()
    const { code, stdout, stderr } = await runCli(main, args, { env, input: '' })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^upswell: INVALID_SETTINGS: .*KAFKA_BROKERS/)
    await expect(readdir(env.UPSWELL_DATA_DIR)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  // A role writes lines of JSON only.
  test.each(['ingest', 'score', 'api'])('upswell %s says what is missing, and begins nothing', async role => {
    const env = await forgetful()
    const { code, stdout, stderr } = await runCli(main, [role], { env, input: '' })
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      level: 'fatal',
      msg: expect.stringContaining('KAFKA_BROKERS'),
    })
    await expect(readdir(env.UPSWELL_DATA_DIR)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('upswell start --sample shows the sample, and start needs the option again', async () => {
    const env = await forgetful()
    const upswell = new CliProcess(main, ['start', '--sample'], { env }).endWithTest()
    await upswell.says(/^First start: loading a sample workspace/)
    await upswell.kill('SIGTERM')
    expect((await runCli(main, ['start'], { env })).code).toBe(2)
  })

  test('upswell start --empty runs embedded, and tools then find its data', async () => {
    const env = await forgetful()
    const upswell = new CliProcess(main, ['start', '--empty'], { env }).endWithTest()
    await upswell.says(/Ctrl-C stops/)
    await upswell.kill('SIGTERM')
    expect(await runCli(main, ['replay', 'list'], { env })).toMatchObject({ code: 0, stderr: '' })
    const sample = await runCli(main, ['start', '--sample'], { env })
    expect([sample.code, sample.stderr]).toEqual([
      2,
      `upswell: INVALID_SETTINGS: ${env.UPSWELL_DATA_DIR} holds own data; for the sample choose another folder with UPSWELL_DATA_DIR, or delete this one\n`,
    ])
  })
})

test('start takes one of --sample and --empty', async () => {
  const { code, stderr } = await runCli(main, ['start', '--sample', '--empty'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining("'--sample' cannot be used with option '--empty'"),
  ])
})

test.each([
  ['0.0.0.0', true],
  ['::', true],
  ['127.0.0.1', false],
  ['localhost', false],
])(
  'a service that listens on %s warns that it asks nobody who they are: %s',
  async (host, warns) => {
    const env = { UPSWELL_DATA_DIR: await temporaryFolder(), UPSWELL_PORT: '0', UPSWELL_HOST: host }
    const upswell = new CliProcess(main, ['start', '--empty'], { env }).endWithTest()
    await upswell.says(/Ctrl-C stops/)
    const { stderr } = await upswell.kill('SIGTERM')
    expect(stderr).toEqual(
      warns
        ? expect.stringMatching(
            new RegExp(
              `^warning: the API listens on ${host}, beyond this machine, and asks nobody who they are: .*\n$`,
            ),
          )
        : '',
    )
  },
  60_000,
)
