import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { openKafkaRedisBackend } from '../../src/app/kafka-redis-backend.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { buildCli, type CliProcess, getJson } from '../commands/cli.ts'
import { silent, until } from '../support/log-handlers.ts'
import { expectedOutputs, MODELS, pipelineSignals } from '../support/pipeline-input.ts'
import { readByAccount, send, untilStored } from '../support/run-pipeline.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { logged, startRole, stopInTime, untilReady } from '../support/servers/role-process.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const PARTITIONS = 3

/** Thread name → the partitions it got when it last joined. */
function partitionsOfThreads(upswell: CliProcess): Map<string, string[]> {
  const joins = logged(upswell).flatMap(({ msg, thread }) => {
    const join = /^joined the group \S+: (.*)$/.exec(msg)
    return join === null || thread === undefined
      ? []
      : [[thread, join[1]!.match(/signals\/\d+/g) ?? []] as const]
  })
  return new Map(joins.map(([thread, partitions]) => [thread, [...partitions]]))
}

describeIntegration('a process in which several threads score', ({ kafkaBrokers, redisUrl }) => {
  const signals = pipelineSignals(30, 90)
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  })

  async function install() {
    const name = `threads-${randomUUID().slice(0, 8)}`
    const topics = topicNames(`${name}.`)
    const kafka = { brokers: kafkaBrokers.split(','), clientId: 'test', logger: silent }
    await createTopics({
      ...kafka,
      // History has times of its own. With the default retention of seven days it would be deleted at once.
      topics: Object.values(topics).map(topic => ({
        name: topic,
        partitions: PARTITIONS,
        config: { 'retention.ms': '-1' },
      })),
    })
    const backend = await openKafkaRedisBackend({
      kafka: { ...kafka, transactionalIdPrefix: `${name}-test` },
      redis: { url: redisUrl, namespace: name, logger: silent },
    })
    onTestFinished(() => backend.close())
    const env = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: MODELS.map(({ file }) => join(PACKAGE_ROOT, file)).join(','),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_SESSION_TIMEOUT_MS: '6000',
      UPSWELL_TICK_INTERVAL_MS: '200',
      UPSWELL_BATCH_SIZE: '50',
      UPSWELL_PORT: '0',
      UPSWELL_SCORE_THREADS: '2',
    }
    const start = async (more: Readonly<Record<string, string>> = {}, role = 'score') => {
      const started = await startRole(main, role, { ...env, ...more })
      started.upswell.endWithTest()
      return started
    }
    return { name, topics, backend, start }
  }

  async function metric(url: string, series: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text()
    const values = text.split('\n').filter(line => line.startsWith(series))
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  test.each([
    { isKilled: false, title: 'undisturbed' },
    { isKilled: true, title: 'killed with -9 at work, and restarted' },
  ])('publishes exactly the expected bytes, each once: $title', async ({ isKilled }) => {
    const expected = expectedOutputs(signals, (fold, slow) => expect(fold).toEqual(slow))
    const { name, topics, backend, start } = await install()
    let { upswell, url } = await start()
    await untilReady(url)
    const of = partitionsOfThreads(upswell)
    expect([...of.keys()].sort()).toEqual(['thread 1', 'thread 2'])
    expect([...of.values()].map(({ length }) => length).sort()).toEqual([1, 2])
    expect(new Set([...of.values()].flat()).size).toBe(PARTITIONS)
    // A thread reports within 100 ms that it gave up partitions.
    await until(async () => (await metric(url, 'upswell_assigned_partitions')) === PARTITIONS)

    const half = Math.floor(signals.length / 2)
    const sending = send(backend, { topics, ticks: false }, signals.slice(0, half))
    if (isKilled) {
      let scored = 0
      await until(async () => {
        scored = await metric(url, 'upswell_signals_total')
        return scored > 0
      })
      await upswell.kill('SIGKILL')
      expect(scored).toBeLessThan(half)
      ;({ upswell, url } = await start())
    }
    await sending
    const ends = await send(backend, { topics, ticks: false }, signals.slice(half))
    await untilStored(backend, ends)
    expect(await readByAccount(backend, topics['tier-changes'])).toEqual(expected.tierChanges)
    expect(await readByAccount(backend, topics['pql-events'])).toEqual(expected.pqlEvents)
    if (!isKilled) {
      await until(async () => (await metric(url, 'upswell_signals_total')) === signals.length)
      await until(async () => (await metric(url, 'upswell_events_total')) > 0)
    }

    await stopInTime(upswell)
    expect((await backend.log.group(`${name}-score`, topics.signals)).isConsuming).toBe(false)
    expect(logged(upswell).at(-1)!.msg).toBe('stopped')
    expect(logged(upswell).filter(({ level }) => level === 'error')).toEqual([])
  })

  test('becomes ready with all roles in one process and more threads than partitions', async () => {
    const { start } = await install()
    const { upswell, url } = await start({ UPSWELL_SCORE_THREADS: '5' }, 'start')
    await untilReady(url)
    expect([...partitionsOfThreads(upswell).values()].flat()).toHaveLength(PARTITIONS)
    await stopInTime(upswell)
  })

  describe('ends with 1 and says why when a thread', { timeout: 60_000 }, () => {
    test.each([
      ['throws', "throw new Error('deliberate')", /Error: deliberate/],
      [
        'runs out of memory',
        'const a = []; for (;;) a.push(new Array(1000).fill(a.length))',
        /ERR_WORKER_OUT_OF_MEMORY/,
      ],
    ])('%s', async (_, mishap, reason) => {
      const folder = await mkdtemp(join(tmpdir(), 'upswell-threads-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const [preload, trigger] = [join(folder, 'preload.cjs'), join(folder, 'trigger')]
      // One thread fails, once the file exists.
      await writeFile(
        preload,
        `const { existsSync } = require('node:fs')
        if (require('node:worker_threads').threadId === 2)
          setInterval(() => { if (existsSync(${JSON.stringify(trigger)})) { ${mishap} } }, 20)`,
      )
      const { start } = await install()
      const { upswell, url } = await start({
        NODE_OPTIONS: `--require ${preload} --max-old-space-size=120`,
      })
      await untilReady(url)
      await writeFile(trigger, '')
      const { code, stderr } = await upswell.ended
      expect([code, stderr]).toEqual([1, ''])
      const last = logged(upswell).at(-1)!
      expect(last).toMatchObject({ level: 'fatal', exitCode: 1 })
      expect(last.msg).toMatch(/thread 2 of the score role ended by itself/)
      expect(last.msg).toMatch(reason)
      const errors = logged(upswell).filter(({ level }) => level === 'error')
      expect(errors.map(({ msg }) => msg)).toEqual([
        expect.stringMatching(/^thread 2 of the score role ended by itself: /),
      ])
      await expect(getJson(`${url}/livez`)).rejects.toThrow()
    })
  })
})
