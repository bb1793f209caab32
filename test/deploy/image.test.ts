import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { runCli } from '../commands/cli.ts'

const run = promisify(execFile)
const BUILD_TIMEOUT_MS = 120_000
const read = (file: string) => readFileSync(join(PACKAGE_ROOT, file), 'utf8')

/** The instructions of the Dockerfile, stage by stage, without comments. */
const STAGES = read('Dockerfile')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(line => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }))
  .reduce<{ name: string; rest: string }[][]>((stages, instruction) => {
    if (instruction.name === 'FROM') stages.push([])
    stages.at(-1)!.push(instruction)
    return stages
  }, [])
const BUILD = STAGES.find(([from]) => from!.rest.endsWith(' AS build'))!
const IMAGE = STAGES.at(-1)!
const restOf = (stage: typeof IMAGE, name: string) =>
  stage.filter(instruction => instruction.name === name).map(({ rest }) => rest)

/** Copies what a stage copies from the checkout. */
async function copyInto(folder: string, stage: typeof IMAGE): Promise<void> {
  for (const copy of restOf(stage, 'COPY').filter(copy => !copy.startsWith('--from'))) {
    const words = copy.split(' ')
    const to = words.at(-1)!
    if (to.startsWith('/')) continue
    for (const from of words.slice(0, -1))
      await cp(join(PACKAGE_ROOT, from), join(folder, to === './' ? from : to), { recursive: true })
  }
}

describe('the Dockerfile', () => {
  test('begins each stage with the same version and digest', () => {
    const images = STAGES.map(([from]) => from!.rest.split(' AS ')[0]!)
    expect(new Set(images).size).toBe(1)
    expect(images[0]).toMatch(/^node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/)
  })

  test('copies only what exists and .dockerignore lets in', () => {
    const accepted = new Set(read('.dockerignore').match(/(?<=^!).+$/gm))
    const copied = STAGES.flatMap(stage => restOf(stage, 'COPY'))
      .filter(copy => !copy.startsWith('--from'))
      .flatMap(copy => copy.split(' ').slice(0, -1))
    expect(copied.filter(file => !existsSync(join(PACKAGE_ROOT, file)))).toEqual([])
    expect([...accepted].sort()).toEqual([...new Set(copied)].sort())
  })

  test('makes an image that is not root, declares no volume, and holds no bench', () => {
    expect(restOf(IMAGE, 'USER')).toEqual(['1000:1000'])
    expect(restOf(IMAGE, 'VOLUME')).toEqual([])
    expect(STAGES.flat().filter(({ rest }) => /\bbench\b/.test(rest))).toEqual([])
  })

  test('has a health check that starts no Node', () => {
    expect(restOf(IMAGE, 'HEALTHCHECK')).toEqual([expect.stringMatching(/ CMD \["healthcheck", "livez"\]$/)])
  })
})

describe('the image, put together by hand', () => {
  let folder: string
  beforeAll(async () => {
    const build = await mkdtemp(join(tmpdir(), 'image-build-'))
    folder = await mkdtemp(join(tmpdir(), 'image-'))
    await copyInto(build, BUILD)
    await symlink(join(PACKAGE_ROOT, 'node_modules'), join(build, 'node_modules'))
    const [compile] = restOf(BUILD, 'RUN').filter(command => command.startsWith('npx tsc '))
    const tsc = join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, ...compile!.split(' ').slice(2)], { cwd: build })
    await copyInto(folder, IMAGE)
    await cp(join(build, 'dist'), join(folder, 'dist'), { recursive: true })
    await rm(build, { recursive: true })
    await symlink(join(PACKAGE_ROOT, 'node_modules'), join(folder, 'node_modules'))
  }, BUILD_TIMEOUT_MS)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const env = () => ({
    ...Object.fromEntries(restOf(IMAGE, 'ENV').flatMap(line => line.split(' ').map(part => part.split('=')))),
    UPSWELL_DATA_DIR: join(folder, 'data'),
  })
  /** The entry point without the folder of the image, and its arguments. */
  const main = () =>
    join(folder, (JSON.parse(restOf(IMAGE, 'ENTRYPOINT')[0]!) as string[]).at(-1)!.slice('/app/'.length))

  test('holds the compiled sources and nothing else of the checkout', () => {
    expect(existsSync(main())).toBe(true)
    for (const other of ['dist/bench', 'dist/test', 'src', 'test', 'bench', 'docs'])
      expect(existsSync(join(folder, other))).toBe(false)
  })

  test('shows its help', async () => {
    expect(await runCli(main(), ['--help'], { env: env() })).toMatchObject({ code: 0, stderr: '' })
  })

  test('checks the models that it ships', async () => {
    const { code, stdout } = await runCli(main(), ['model', 'check'], { env: env() })
    expect([code, stdout.match(/is valid/g)?.length]).toEqual([0, 5])
  })

  test('ends with 2 and says what is missing if nobody says where Kafka is', async () => {
    const command = JSON.parse(restOf(IMAGE, 'CMD')[0]!) as string[]
    const { code, stdout, stderr } = await runCli(main(), command, { env: env() })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^upswell: INVALID_SETTINGS: KAFKA_BROKERS is not set/)
  })
})

describe('the health check of the image', () => {
  const check = (port: number, ...args: string[]): Promise<number> =>
    run(join(PACKAGE_ROOT, 'deploy/healthcheck'), args, {
      env: { PATH: process.env['PATH'], UPSWELL_PORT: String(port) },
    }).then(
      () => 0,
      ({ code }: { code: number }) => code,
    )

  test('is healthy if the answer is 200', async () => {
    const asked: (string | undefined)[] = []
    const server = createServer(({ url }, response) => {
      asked.push(url)
      response.statusCode = url === '/livez' ? 200 : 503
      response.end('{}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect([await check(port), await check(port, 'livez'), await check(port, 'readyz')]).toEqual([0, 0, 1])
    expect(asked).toEqual(['/livez', '/livez', '/readyz'])
    server.close()
    await once(server, 'close')
    expect(await check(port)).toBe(1)
  })
})
