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
} from '../cli.ts'

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
    const { stderr, ...ended } = await send(['good.jsonl'])
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'Sent 3 signals to signals.\n' })
    expect(stderr).toMatch(
      /^3 signals of 2 accounts in good\.jsonl, from \S+Z to \S+Z, go to topic signals in \S+data\. They are observed now\.\n$/,
    )
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
      expect.stringMatching(/^2 signals of 2 accounts in some\.jsonl, /),
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
    const lines = stderr.trimEnd().split('\n').slice(1)
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
        /^Nothing was sent\.\nupswell: INPUT_UNREADABLE: cannot read noise\.gz after line 0: Z_DATA_ERROR: incorrect header check\n$/,
      'cut.jsonl.gz':
        /^Nothing was sent\.\nupswell: INPUT_UNREADABLE: cannot read cut\.jsonl\.gz after line 0: Z_BUF_ERROR: unexpected end of file\n$/,
    }
    for (const [file, said] of Object.entries(refusals)) {
      const { code, stdout, stderr } = await send([file])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(said)
    }
  })

  test('sends nothing of a packed file that is cut off, and says how to send what can be read', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => line(`torn-${i}`)).join('\n')
    const packed = gzipSync(lines)
    await write('torn.jsonl.gz', packed.subarray(0, packed.length * 0.9))
    const { code, stdout, stderr } = await send(['torn.jsonl.gz', '--batch-size', '100'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^Nothing was sent\.\nTo send what can be read of it:\n {2}zcat torn\.jsonl\.gz \| upswell send - --batch-size 100\nupswell: INPUT_UNREADABLE: cannot read torn\.jsonl\.gz after line \d+: Z_BUF_ERROR: unexpected end of file\n$/,
    )
    expect((await getJson(`${url}/v1/accounts/torn-0`)).status).toBe(404)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s: says the last line that is in the log; the printed command sends the rest',
    async (signal, code) => {
      const name = signal.toLowerCase()
      const lines = Array.from({ length: 25 }, (_, i) => `${line(`${name}-${i}`)}\n`).join('')
      const args = ['send', '-', '--batch-size', '10']
      const env = { UPSWELL_DATA_DIR: join(folder, 'data') }
      const sending = new CliProcess(main, args, { env, input: lines, keepsInputOpen: true })
      await account(`${name}-19`)
      const ended = await sending.kill(signal)
      expect(ended).toMatchObject({ code, signal: null, stdout: '' })
      expect(ended.stderr).toContain(
        'Line 20 of standard input is the last one that is in the log.\n' +
          'To go on, with the same input:\n  upswell send - --batch-size 10 --from-line 21\n',
      )
      expect((await getJson(`${url}/v1/accounts/${name}-20`)).status).toBe(404)
      expect(await send(['-', '--batch-size', '10', '--from-line', '21'], lines)).toMatchObject({
        code: 0,
        stdout: 'Sent 5 signals to signals.\n',
      })
      await account(`${name}-24`)
    },
  )

  test('a stop while history is read from standard input sends nothing', async () => {
    const env = { UPSWELL_DATA_DIR: join(folder, 'data') }
    const options = { env, input: `${line('stopped')}\n`, keepsInputOpen: true }
    const sending = new CliProcess(main, ['send', '-', '--clock', 'event'], options)
    await sending.warns(/Reading standard input to its end first/)
    expect(await sending.kill('SIGTERM')).toMatchObject({
      code: 143,
      stdout: '',
      stderr: expect.stringMatching(/\nNothing was sent\.\n$/),
    })
  })

  test('refuses a --from-line that is no line', async () => {
    await write('few.jsonl', `${line('few-1')}\n${line('few-2')}\n`)
    for (const fromLine of ['0', 'x', '1.5']) {
      const { code, stderr } = await send(['few.jsonl', '--from-line', fromLine])
      expect([code, stderr]).toEqual([2, expect.stringContaining('a whole number from 1 is accepted')])
    }
    const { code, stderr } = await send(['few.jsonl', '--from-line', '4'])
    expect(code).toBe(2)
    expect(stderr).toContain('--from-line is 4, but few.jsonl has only 2 lines; 1 to 3 is accepted\n')
  })

  test('lists the names that no active model reads', async () => {
    await write('names.jsonl', line('names-1', { name: 'feautre.search' }))
    expect((await send(['names.jsonl'])).stderr).toContain(
      'warning: no active model reads this name (only users, teams, locations, products and roles of such signals may count); check the spelling:\n' +
        '  usage:feautre.search  1 signal; did you mean usage:feature.search?\n',
    )
  })

  test('refuses --afterwards live without --clock event', async () => {
    const { code, stdout, stderr } = await send(['-', '--afterwards', 'live'], line('not-sent'))
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(
      /^upswell: INVALID_SETTINGS: --afterwards live is for history, and --clock event is missing; add /,
    )
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
    expect([code, stdout]).toEqual([0, 'Sent 2 signals to signals.\n'])
    const said = stderr.split('\n')
    expect(said).toHaveLength(3)
    const seen = (isSo: (asOf: string) => boolean) =>
      untilJson<Account>(`${url}/v1/accounts/old`, ({ status, body }) => status === 200 && isSo(body.asOf))
    if (afterwards === 'live') {
      expect(said[1]).toContain(
        'They are history: each is observed when it occurred. Then time continues from now.',
      )
      // The 30 days of the model's windows have passed since then, and a tick says so.
      await seen(asOf => asOf > NEWEST)
    } else {
      expect(said[1]).toContain(
        `Accounts that are not live then stay as of ${NEWEST.replace('.000Z', 'Z')}, each until its first live signal.`,
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
    expect(sent.stderr).toContain(
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
