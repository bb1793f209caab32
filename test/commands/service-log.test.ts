import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { freePorts } from '../support/servers/free-ports.ts'
import { logged } from '../support/servers/role-process.ts'
import { buildCli, CliProcess, type Environment, runCli, temporaryFolder } from './cli.ts'

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']

let main: string
beforeAll(async () => {
  main = await buildCli()
}, 120_000)

/** Settings of services that nobody runs: a role starts, and waits for them. */
async function nowhere(parts: Environment = {}): Promise<Environment> {
  const [kafka, redis] = await freePorts(2)
  return {
    KAFKA_BROKERS: `127.0.0.1:${kafka}`,
    REDIS_URL: `redis://upswell:s3cret@127.0.0.1:${redis}`,
    UPSWELL_PORT: '0',
    ...parts,
  }
}

/** Code that runs in the process, and in each of its score threads, before Upswell. */
async function preloaded(code: string): Promise<Environment> {
  const file = join(await temporaryFolder(), 'preloaded.mjs')
  await writeFile(file, `import { isMainThread } from 'node:worker_threads'\n${code}`)
  return { NODE_OPTIONS: `--import ${file}` }
}

const NOISE = `
  setTimeout(() => {
    console.error('[ioredis] Unhandled error event: Error: from ' + (isMainThread ? 'main' : 'thread'))
    console.log('on standard output')
    process.emitWarning('a doubtful call', 'DeprecationWarning')
    process.emitWarning('-1 is a negative number', 'TimeoutNegativeWarning')
  }, 1_500)`

test.each(['1', '2'])('with %s score threads, all that a process prints is lines of JSON', async threads => {
  const env = await nowhere({ UPSWELL_SCORE_THREADS: threads, ...(await preloaded(NOISE)) })
  const upswell = new CliProcess(main, ['score'], { env }).endWithTest()
  await upswell.says(/Unhandled error event: Error: from main/)
  if (threads === '2') await upswell.says(/Unhandled error event: Error: from thread/)
  await upswell.says(/"score cannot start yet: LOG_UNAVAILABLE|"thread 1: score cannot start yet|it is away/)
  await upswell.says(/answers \/livez/)
  const { code, stdout, stderr } = await upswell.kill('SIGTERM')
  expect([code, stderr]).toEqual([0, ''])
  const lines = logged({ stdout })
  for (const { level, time, service, role, version, msg } of lines) {
    expect(LEVELS).toContain(level)
    expect(new Date(time).toISOString()).toBe(time)
    expect([service, role, version]).toEqual(['upswell', 'score', expect.stringMatching(/^\d/)])
    expect(msg).not.toBe('')
  }
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual(
    expect.arrayContaining(['warn Node warns: DeprecationWarning: a doubtful call']),
  )
  expect(stdout).not.toContain('TimeoutNegativeWarning')
  expect(stdout).not.toContain('s3cret')
})

test('an outage has one line, whatever the number of threads', async () => {
  const env = await nowhere({ UPSWELL_SCORE_THREADS: '3', ...(await preloaded('')) })
  const upswell = new CliProcess(main, ['score'], { env }).endWithTest()
  await upswell.says(/LOG_UNAVAILABLE|STORE_UNAVAILABLE/)
  await new Promise(resolve => setTimeout(resolve, 6_000))
  const { stdout } = await upswell.kill('SIGTERM')
  const troubles = logged({ stdout }).filter(({ level }) => level === 'warn' || level === 'error')
  const codes = troubles.map(({ code }) => code)
  expect(codes.length).toBe(new Set(codes).size)
})

test.each([
  ['an error that nobody caught', "setTimeout(() => { throw new Error('boom') }, 2_000)"],
  ['a promise that nobody caught', "setTimeout(() => void Promise.reject(new Error('boom')), 2_000)"],
])('%s ends the process with a fatal line, at any level', async (_, code) => {
  const env = await nowhere({
    ...(await preloaded(`if (isMainThread) ${code}`)),
    UPSWELL_LOG_LEVEL: 'silent',
  })
  const ended = await runCli(main, ['api'], { env })
  expect([ended.code, ended.stderr]).toEqual([1, ''])
  expect(logged(ended)).toEqual([
    expect.objectContaining({
      level: 'fatal',
      exitCode: 1,
      msg: expect.stringMatching(/^upswell: this should not have happened\nError: boom\n +at /),
    }),
  ])
})

test.each(['score', 'start'])('upswell %s reports wrong settings as a fatal line', async command => {
  const env = await nowhere({ UPSWELL_PARTITIONS: 'many', REDIS_URL: 'http://me:s3cret@r:1' })
  const ended = await runCli(main, [command], { env })
  expect([ended.code, ended.stderr]).toEqual([2, ''])
  expect(logged(ended)).toEqual([
    expect.objectContaining({ level: 'fatal', code: 'INVALID_SETTINGS', exitCode: 2 }),
  ])
  expect(ended.stdout).not.toContain('s3cret')
})
