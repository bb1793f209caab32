import { beforeAll, describe, expect, test } from 'vitest'
import { readConfig, SETTINGS } from '../../src/app/config.ts'
import { buildCli, runCli } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

describe.concurrent('upswell', { timeout: 60_000 }, () => {
  test.each([
    [''],
    ['start'],
    ['ingest'],
    ['score'],
    ['api'],
    ['doctor'],
    ['send'],
    ['topics'],
    ['topics create'],
    ['model'],
    ['model check'],
    ['model test'],
    ['model diff'],
    ['backtest'],
    ['parity'],
    ['replay'],
    ['replay list'],
    ['replay diff'],
    ['replay promote'],
    ['replay drop'],
    ['rebuild'],
  ])('%s --help shows its usage and every setting', async command => {
    const { code, stdout, stderr } = await runCli(main, [...words(command), '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^Usage: upswell ?${command}`))
    for (const { variable, about } of SETTINGS)
      expect(stdout).toMatch(new RegExp(`^ {2}${variable} .*${about.slice(0, 20)}`, 'm'))
  })

  test('--help lists every command', async () => {
    const { stdout } = await runCli(main, ['--help'])
    const commands = ['start', 'ingest', 'score', 'api', 'doctor', 'send', 'topics', 'model', 'backtest']
    for (const command of [...commands, 'parity', 'replay', 'rebuild'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
  })

  test('--version prints the version of the package', async () => {
    const { code, stdout } = await runCli(main, ['--version'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
  })

  const WRONG: readonly [command: string, stderr: RegExp][] = [
    ['frobnicate', /^error: unknown command 'frobnicate'\n\(upswell --help shows what is accepted\)\n$/],
    ['strat', /unknown command 'strat'\n\(Did you mean start\?\)/],
    ['model chek', /unknown command 'chek'\n\(Did you mean check\?\)/],
    ['start --emty', /unknown option '--emty'\n\(Did you mean --empty\?\)/],
    ['start now', /too many arguments/],
    ['doctor --frob', /unknown option '--frob'/],
    ['send', /missing required argument 'file'/],
    ['send f --clock lunar', /'lunar' is invalid\. Allowed choices are wall, event\./],
    ['send f --afterwards later', /'later' is invalid\. Allowed choices are stay, live\./],
    ['send f --batch-size 0', /'0' is invalid\. a whole number from 1 is accepted/],
    ['topics create --replication-factor many', /'many' is invalid\. a whole number from 1 is accepted/],
    ['', /^Usage: upswell/],
    ['topics', /^Usage: upswell topics/],
    ['model', /^Usage: upswell model/],
  ]
  test.each(WRONG)('%s is wrong: 2', async (command, said) => {
    const { code, stdout, stderr } = await runCli(main, words(command))
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(said)
  })

  test('reports all wrong settings at once: 2', async () => {
    const env = { UPSWELL_PORT: 'http', UPSWELL_LOG_LEVEL: 'loud', UPSWELL_MODEL: 'x' }
    const problems = errorOf(() => readConfig(env))
    expect(problems.split('\n')).toHaveLength(4)
    const text = `upswell: INVALID_SETTINGS: ${problems}`
    for (const command of ['start', 'topics create']) {
      const { code, stdout, stderr } = await runCli(main, words(command), { env })
      expect([code, stdout, stderr]).toEqual([2, '', `${text}\n`])
    }
    const { code, stdout, stderr } = await runCli(main, ['score'], { env })
    expect([code, stderr, JSON.parse(stdout).msg]).toEqual([2, '', text])
  })

  test.each(['ingest', 'score', 'api'])('%s without Kafka says what to set: 2', async role => {
    const { code, stdout, stderr } = await runCli(main, [role])
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout).msg).toBe(
      `upswell: INVALID_SETTINGS: upswell ${role} runs on Kafka and Redis: set KAFKA_BROKERS=host:port and REDIS_URL. Without them, upswell start runs everything in one process.`,
    )
  })

  test('topics create without Kafka says that no topics are needed: 2', async () => {
    const { code, stderr } = await runCli(main, ['topics', 'create'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/set KAFKA_BROKERS=host:port\. The embedded default needs none\.\n$/)
  })
})

function words(command: string): string[] {
  return command.split(' ').filter(word => word !== '')
}

function errorOf(failing: () => unknown): string {
  try {
    failing()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}
