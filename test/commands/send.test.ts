import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  buildCli,
  CliProcess,
  type Ended,
  type Environment,
  getJson,
  runCli,
  temporaryFolder,
  untilJson,
} from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
const DAY_MS = 86_400_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

interface Account {
  readonly accountId: string
  readonly asOf: string
  readonly standings: readonly { readonly modelId: string; readonly cause: { readonly signalId?: string } }[]
}

let signals = 0
/** A signal as a line of a file. */
function line(accountId: string, parts: object = {}): string {
  const id = `sent-${signals++}`
  const occurredAt = new Date().toISOString()
  return JSON.stringify({ id, kind: 'usage', name: 'feature.search', accountId, occurredAt, ...parts })
}

async function startEmpty(
  dataDir: string,
  env: Environment = {},
): Promise<{ upswell: CliProcess; url: string }> {
  const upswell = new CliProcess(main, ['start', '--empty'], {
    env: { UPSWELL_PORT: '0', UPSWELL_DATA_DIR: dataDir, ...env },
  })
  const [, url] = await upswell.says(/Ranked accounts {3}(\S+)\/v1\/accounts\n/, 60_000)
  return { upswell, url: url! }
}

describe('upswell send to a running service', { timeout: 60_000 }, () => {
  let folder: string
  let upswell: CliProcess
  let url: string
  const send = (args: readonly string[], input?: string): Promise<Ended> =>
    runCli(main, ['send', ...args], {
      cwd: folder,
      env: { UPSWELL_DATA_DIR: join(folder, 'data') },
      ...(input === undefined ? {} : { input }),
    })
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(join(folder, name), content)
  const account = (id: string): Promise<Account> =>
    untilJson<Account>(`${url}/v1/accounts/${id}`, ({ status }) => status === 200)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'upswell-send-'))
    ;({ upswell, url } = await startEmpty(join(folder, 'data')))
  }, BUILD_TIMEOUT_MS)

  afterAll(async () => {
    await upswell.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  })

  test('appends signals that are scored then', async () => {
    await write('good.jsonl', `${line('good-1')}\n\n  \r\n${line('good-2')}\r\n${line('good-1')}`)
    expect(await send(['good.jsonl'])).toEqual({
      code: 0,
      signal: null,
      stdout: 'Sent 3 signals to signals.\n',
      stderr: '',
    })
    const { standings } = await account('good-1')
    expect(standings.find(({ modelId }) => modelId === 'expansion-revenue-score')).toMatchObject({
      cause: { signalId: expect.stringMatching(/^sent-/) },
    })
    await account('good-2')
  })

  test('reports bad lines by number, leaves them out, and ends with 1', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${line('some-1')}\n{"id":\n${line('some-2', { kind: 'usages' })}\n`),
      Buffer.from(`${line('some-3', { name: 'naïve' })}\n`, 'latin1'),
      Buffer.from(`${line('some-4')}\n`),
    ])
    await write('some.jsonl', bytes)
    const { code, stdout, stderr } = await send(['some.jsonl'])
    expect([code, stdout]).toEqual([1, 'Sent 2 signals to signals; 3 lines left out: not signals.\n'])
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^error: some\.jsonl:2: not-json: the value is not JSON: /),
      expect.stringMatching(/^error: some\.jsonl:3: unknown-kind: kind is "usages"; one of usage, /),
      expect.stringMatching(/^error: some\.jsonl:4: not-json: the value is not JSON: .*encoded data/),
    ])
    await account('some-1')
    await account('some-4')
    expect((await getJson(`${url}/v1/accounts/some-2`)).status).toBe(404)
  })

  test('reports the first twenty of many bad lines', async () => {
    const { code, stdout, stderr } = await send(['-'], 'no\n'.repeat(25))
    expect([code, stdout]).toEqual([1, 'Sent 0 signals to signals; 25 lines left out: not signals.\n'])
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(21)
    expect(lines[19]).toMatch(/^error: -:20: not-json/)
    expect(lines[20]).toBe('error: … and 5 more lines')
  })

  test('reads packed files and standard input, in writes of --batch-size', async () => {
    const many = Array.from({ length: 25 }, (_, i) => line(`packed-${i}`)).join('\n')
    await write('many.jsonl.gz', gzipSync(many))
    expect(await send(['many.jsonl.gz', '--batch-size', '10'])).toMatchObject({
      code: 0,
      stdout: 'Sent 25 signals to signals.\n',
    })
    await account('packed-24')
    expect(await send(['-'], `${line('piped')}\n`)).toMatchObject({
      code: 0,
      stdout: 'Sent 1 signal to signals.\n',
    })
    await account('piped')
  })

  test('names the file that it cannot read, and the line after which it breaks off', async () => {
    await mkdir(join(folder, 'directory'), { recursive: true })
    await write('noise.gz', 'this was never packed')
    await write('cut.jsonl.gz', gzipSync(line('cut')).subarray(0, 60))
    const refusals = {
      'missing.jsonl':
        /^upswell: INPUT_UNREADABLE: cannot read missing\.jsonl: ENOENT: no such file or directory, .*\n$/,
      directory: /^upswell: INPUT_UNREADABLE: cannot read directory: EISDIR: .*\n$/,
      'noise.gz':
        /^upswell: INPUT_UNREADABLE: cannot read noise\.gz after line 0: Z_DATA_ERROR: incorrect header check\n$/,
      'cut.jsonl.gz':
        /^upswell: INPUT_UNREADABLE: cannot read cut\.jsonl\.gz after line 0: Z_BUF_ERROR: unexpected end of file\n$/,
    }
    for (const [file, said] of Object.entries(refusals)) {
      const { code, stdout, stderr } = await send([file])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(said)
    }
  })

  test('reports how many signals were sent of a file that breaks off', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => line(`torn-${i}`)).join('\n')
    const packed = gzipSync(lines)
    await write('torn.jsonl.gz', packed.subarray(0, packed.length * 0.9))
    const { code, stdout, stderr } = await send(['torn.jsonl.gz', '--batch-size', '100'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^warning: [\d,]+00 signals had been sent before this\nupswell: INPUT_UNREADABLE: cannot read torn\.jsonl\.gz after line \d+: Z_BUF_ERROR: unexpected end of file\n$/,
    )
    await account('torn-99')
  })

  test('sends an empty file', async () => {
    await write('empty.jsonl', '')
    expect(await send(['empty.jsonl'])).toMatchObject({ code: 0, stdout: 'Sent 0 signals to signals.\n' })
  })
})

describe('upswell send --clock event', { timeout: 60_000 }, () => {
  const NEWEST = new Date(Date.now() - 40 * DAY_MS).toISOString()
  const OLDER = new Date(Date.now() - 45 * DAY_MS).toISOString()

  test.each(['stay', 'live'] as const)('--afterwards %s', async afterwards => {
    const folder = await temporaryFolder()
    const env = {
      UPSWELL_DATA_DIR: join(folder, 'data'),
      UPSWELL_TICK_INTERVAL_MS: '50',
      UPSWELL_PARTITIONS: '1',
    }
    const { upswell, url } = await startEmpty(env.UPSWELL_DATA_DIR, env)
    upswell.endWithTest()
    const input = `${line('old', { occurredAt: OLDER })}\n${line('older', { occurredAt: NEWEST })}\n`
    const args = ['send', '-', '--clock', 'event', '--afterwards', afterwards]
    const { code, stdout, stderr } = await runCli(main, args, { env, input })
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('Sent 2 signals to signals.')
    const seen = (isSo: (asOf: string) => boolean) =>
      untilJson<Account>(`${url}/v1/accounts/old`, ({ status, body }) => status === 200 && isSo(body.asOf))
    if (afterwards === 'live') {
      expect(lines).toHaveLength(2)
      // The 30 days of the model's windows have passed since then, and a tick says so.
      await seen(asOf => asOf > NEWEST)
    } else {
      expect(lines[1]).toBe(
        `They are history: scores are as of ${NEWEST} until a live signal comes, or you send history with --afterwards live.`,
      )
      await seen(asOf => asOf <= NEWEST)
      // Ten tick intervals.
      await sleep(500)
      const { body } = await getJson(`${url}/v1/accounts/old`)
      expect((body as Account).asOf <= NEWEST).toBe(true)
    }
    expect((await upswell.kill('SIGTERM')).code).toBe(0)
  })
})

describe('upswell send before the first start', { timeout: 60_000 }, () => {
  test('warns that no models are active, and keeps the sample out of the folder', async () => {
    const folder = await temporaryFolder()
    const env = { UPSWELL_DATA_DIR: join(folder, 'data'), UPSWELL_PORT: '0' }
    const sent = await runCli(main, ['send', '-'], { env, input: line('early') })
    expect(sent).toMatchObject({ code: 0, stdout: 'Sent 1 signal to signals.\n' })
    expect(sent.stderr).toBe(
      `warning: no models are active in ${env.UPSWELL_DATA_DIR} yet: these signals are counted, but tier changes before the first "upswell start" are not published. Run it first if you want them.\n`,
    )
    const upswell = new CliProcess(main, ['start'], { env }).endWithTest()
    const [, url] = await upswell.says(/Ranked accounts {3}(\S+)\/v1\/accounts\n/)
    // Ticks after the models switch earlier accounts to them.
    const { items } = await untilJson<{ items: { accountId: string }[] }>(
      `${url}/v1/accounts`,
      ({ body }) => body.items.length > 0,
    )
    expect(items.map(({ accountId }) => accountId)).toEqual(['early'])
    expect(upswell.stdout).not.toContain('sample')
  })
})
