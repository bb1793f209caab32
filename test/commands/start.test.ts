import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { GROWTH } from '../api/world.ts'
import { buildCli, CliProcess, type Environment, getJson, runCli, temporaryFolder, untilJson } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
const STOP_WITHIN_MS = 10_000
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

function startUpswell(env: Environment, ...args: string[]): CliProcess {
  return new CliProcess(main, ['start', ...args], { env: { UPSWELL_PORT: '0', ...env } }).endWithTest()
}

/** The URL of the API, after the whole welcome is printed. */
async function urlOf(upswell: CliProcess): Promise<string> {
  const [, url] = await upswell.says(/Ranked accounts {3}(http:\/\/127\.0\.0\.1:\d+)\/v1\/accounts\n/, 90_000)
  await upswell.says(/Ctrl-C stops/)
  return url!
}

async function started(upswell: CliProcess): Promise<CliProcess> {
  await urlOf(upswell)
  return upswell
}

async function stopInTime(upswell: CliProcess): Promise<void> {
  const askedAt = performance.now()
  const { code, signal } = await upswell.kill('SIGTERM')
  expect([code, signal]).toEqual([0, null])
  expect(performance.now() - askedAt).toBeLessThan(STOP_WITHIN_MS)
}

async function postSignal(url: string, accountId: string, parts: object = {}): Promise<string> {
  const signal = {
    id: `s-${accountId}`,
    kind: 'usage',
    name: 'feature.search',
    accountId,
    occurredAt: new Date(),
    ...parts,
  }
  const response = await fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(signal),
  })
  expect(response.status).toBe(202)
  const { positions } = (await response.json()) as { positions: { sequence: string }[] }
  return positions[0]!.sequence
}

describe('upswell start --empty', { timeout: 120_000 }, () => {
  test('answers what is under way at SIGTERM, though one client has sent half a request', async () => {
    const dataDir = join(await temporaryFolder(), 'data')
    const upswell = startUpswell({ UPSWELL_DATA_DIR: dataDir }, '--empty')
    const url = await urlOf(upswell)
    const half = connect(Number(new URL(url).port), '127.0.0.1')
    half.on('error', () => {})
    half.write(
      'POST /v1/signals HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[',
    )
    await once(half, 'connect')
    const posts = Array.from({ length: 50 }, (_, i) => postSignal(url, `account-${i}`))
    await posts[0]
    await stopInTime(upswell)
    expect(new Set(await Promise.all(posts)).size).toBe(50)
    half.destroy()
  })

  test('prints where everything is, stops at SIGTERM, and keeps its signals for the next start', async () => {
    const dataDir = join(await temporaryFolder(), 'not yet there')
    const first = startUpswell({ UPSWELL_DATA_DIR: dataDir }, '--empty')
    const url = await urlOf(first)
    expect(first.stdout).toContain(`${url}/openapi.json`)
    expect(first.stdout).toContain(dataDir)
    expect(await getJson(`${url}/readyz`)).toMatchObject({ status: 200, body: { status: 'ready' } })
    const sequence = await postSignal(url, 'acme')
    const { status, body: account } = await getJson(`${url}/v1/accounts/acme?after=${sequence}`)
    expect([status, account]).toEqual([200, expect.objectContaining({ accountId: 'acme', sequence })])
    await stopInTime(first)
    expect(first.stderr).toBe('')

    const second = startUpswell({ UPSWELL_DATA_DIR: dataDir })
    const { body } = await getJson(`${await urlOf(second)}/v1/accounts/acme`)
    expect(body).toMatchObject({ accountId: 'acme', status: 'SCORED' })
    expect(second.stdout).not.toContain('sample')
    await stopInTime(second)
  })

  test('runs once in a data directory and once on a port; a second start ends with a reason and harms nothing', async () => {
    const dataDir = await temporaryFolder()
    const first = startUpswell({ UPSWELL_DATA_DIR: dataDir }, '--empty')
    const url = await urlOf(first)

    const sameDirectory = await startUpswell({ UPSWELL_DATA_DIR: dataDir }).ended
    expect([sameDirectory.code, sameDirectory.stdout]).toEqual([1, ''])
    expect(sameDirectory.stderr).toMatch(
      new RegExp(
        `^upswell: LOG_FENCED: Process ${first.pid} on \\S+ \\(this is \\d+\\) consumes the data directory ${dataDir}, and only one process can\\. Stop it, or give one of the two its own directory\\.\n$`,
      ),
    )
    const { port } = new URL(url)
    const samePort = await startUpswell({ UPSWELL_DATA_DIR: await temporaryFolder(), UPSWELL_PORT: port })
      .ended
    expect([samePort.code, samePort.stdout, samePort.stderr]).toEqual([
      1,
      '',
      `upswell: PORT_IN_USE: port ${port} of 127.0.0.1 is in use; stop what uses it, or set UPSWELL_PORT (0: any free one)\n`,
    ])

    expect((await getJson(`${url}/readyz`)).status).toBe(200)
    const sequence = await postSignal(url, 'acme')
    expect((await getJson(`${url}/v1/accounts/acme?after=${sequence}`)).status).toBe(200)
    await stopInTime(first)
  })

  test('refuses a model that was edited without a new version, and says what to do', async () => {
    const [dataDir, models] = [await temporaryFolder(), await temporaryFolder()]
    const env = { UPSWELL_DATA_DIR: dataDir, UPSWELL_MODELS: models }
    const file = join(models, 'growth.yaml')
    await writeFile(file, GROWTH)
    const first = startUpswell(env, '--empty')
    await urlOf(first)
    await stopInTime(first)
    await writeFile(file, GROWTH.replace('name: Growth', 'name: Other'))
    const second = await startUpswell(env).ended
    expect([second.code, second.stdout]).toEqual([2, ''])
    expect(second.stderr).toMatch(
      /growth\.yaml:3:10: found version 3 of growth with other content .*; write "version: 4" for/,
    )
    await stopInTime(await started(startUpswell({ ...env, UPSWELL_ALLOW_EDITED_MODELS: 'true' })))
  })

  test('refuses a foreign address, missing models and a file as data directory', async () => {
    const dataDir = await temporaryFolder()
    const address = startUpswell({ UPSWELL_DATA_DIR: dataDir, UPSWELL_HOST: '192.0.2.1' }, '--empty')
    const models = startUpswell({ UPSWELL_DATA_DIR: dataDir, UPSWELL_MODELS: 'nowhere.yaml' }, '--empty')
    const file = startUpswell({ UPSWELL_DATA_DIR: main }, '--empty')
    // Nobody can make a folder there, not even root.
    const readOnly = startUpswell({ UPSWELL_DATA_DIR: '/sys/upswell' }, '--empty')
    expect(await readOnly.ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^upswell: INVALID_SETTINGS: cannot write into \/sys\/upswell: .*UPSWELL_DATA_DIR\. In a container, mount a volume there\n$/,
      ),
    })
    expect(await address.ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^upswell: INVALID_SETTINGS: cannot listen on port 0 of 192\.0\.2\.1: .*; set UPSWELL_HOST/,
      ),
    })
    expect(await models.ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^upswell: INVALID_SETTINGS: cannot read the scoring models in nowhere\.yaml: ENOENT/,
      ),
    })
    expect(await file.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^upswell: STATE_UNREADABLE: .*choose another folder with UPSWELL_DATA_DIR/,
      ),
    })
  })
})

describe('upswell start', { timeout: 180_000 }, () => {
  test('shows a scored sample within a minute, then live events, and lets no second process in meanwhile', async () => {
    const dataDir = await temporaryFolder()
    const env = { UPSWELL_DATA_DIR: dataDir }
    const startedAt = performance.now()
    const upswell = startUpswell(env)
    await upswell.says(/^First start: loading a sample workspace, 90 days and [\d,]+ signals …\n/)
    const intruder = startUpswell(env)
    const sending = runCli(main, ['send', '-'], { env, input: '' })
    expect(await intruder.ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `upswell: LOG_FENCED: process ${upswell.pid} is loading the sample into ${dataDir}; stop it first, or choose another folder with UPSWELL_DATA_DIR\n`,
    })
    expect(await sending).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^upswell: LOG_UNAVAILABLE: the sample is not completely loaded into .*; send again after/,
      ),
    })

    const url = await urlOf(upswell)
    expect(performance.now() - startedAt).toBeLessThan(60_000)
    expect(upswell.stdout).toMatch(/^ {2}Expansion Revenue Score · 200 accounts$/m)
    expect(upswell.stdout).toMatch(/^ {2}\d+ open PQLs · /m)
    expect(upswell.stdout).toMatch(/^ {2}Highest scores$/m)
    // A PQL is held as soon as its account is no longer healthy.
    const { body } = await getJson(`${url}/v1/accounts?limit=50&model=expansion-revenue-score`)
    const { items } = body as { items: { accountId: string; openPqls: number }[] }
    const lead = items.find(({ openPqls }) => openPqls > 0)!
    await postSignal(url, lead.accountId, { kind: 'health', properties: { score: 5 } })
    await upswell.says(/Ctrl-C stops[\s\S]*^\d\d:\d\d:\d\d {2}PQL held /m)
    await stopInTime(upswell)
    expect(upswell.stderr).toBe('')

    const again = startUpswell(env)
    const list = await getJson(`${await urlOf(again)}/v1/accounts?limit=1&model=expansion-revenue-score`)
    expect(list).toMatchObject({ status: 200, body: { items: [{ modelId: 'expansion-revenue-score' }] } })
    expect(again.stdout).not.toContain('First start')
    expect(again.stdout).toMatch(/200 accounts$/m)
    expect(await startUpswell(env, '--empty').ended).toMatchObject({
      code: 2,
      stderr: `upswell: INVALID_SETTINGS: ${dataDir} holds the sample workspace; for an empty one choose another folder with UPSWELL_DATA_DIR, or delete this one\n`,
    })
    await stopInTime(again)
  })

  test('stops while it loads the sample; the next start deletes only the loaded part and loads it again', async () => {
    const dataDir = await temporaryFolder()
    const upswell = startUpswell({ UPSWELL_DATA_DIR: dataDir })
    await upswell.says(/First start/)
    await writeFile(join(dataDir, 'notes.txt'), 'mine')
    await stopInTime(upswell)
    expect([upswell.stdout.split('\n').length, upswell.stderr]).toEqual([2, ''])

    const next = startUpswell({ UPSWELL_DATA_DIR: dataDir }, '--empty')
    const accounts = await untilJson<{ items: unknown[] }>(
      `${await urlOf(next)}/v1/accounts`,
      ({ status }) => status === 200,
    )
    expect(accounts.items).toEqual([])
    expect(await readFile(join(dataDir, 'notes.txt'), 'utf8')).toBe('mine')
    await stopInTime(next)
  })
})
