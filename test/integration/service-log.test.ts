import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { buildCli, getJson, runCli } from '../commands/cli.ts'
import { until } from '../support/log-handlers.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { startBroker } from '../support/servers/java-broker.ts'
import { startRedis } from '../support/servers/redis-server.ts'
import { logged, startRole, untilReady } from '../support/servers/role-process.ts'

const TIMEOUT_MS = 240_000
/** As docs/log-messages.md has it. */
const GRANTED = [
  ...['~upswell:*', '+@read', '+@write', '+@scripting', '+@connection', '-@dangerous'],
  ...['+time', '+info', '+config|get'],
]

describeIntegration('the log of a service', ({ kafkaBrokers }) => {
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  }, 180_000)

  async function installation(redisUrl: string, brokers = kafkaBrokers) {
    const name = `log-${randomUUID().slice(0, 8)}`
    const env = {
      KAFKA_BROKERS: brokers,
      REDIS_URL: redisUrl,
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PORT: '0',
      UPSWELL_SESSION_TIMEOUT_MS: '6000',
    }
    expect((await runCli(main, ['topics', 'create'], { env })).code).toBe(0)
    return env
  }

  /** Signals of many accounts, without a pause. */
  async function traffic(prefix: string) {
    const producer = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    let isOver = false
    const running = (async () => {
      for (let i = 0; !isOver; i++) {
        const messages = Array.from({ length: 200 }, (_, j) => usage(`${i}-${j}`, `account-${j}`))
        await producer.send({ topic: `${prefix}signals`, messages })
        await sleep(10)
      }
    })()
    return {
      stop: async () => {
        isOver = true
        await running
        await producer.disconnect()
      },
    }
  }

  async function startedRedis() {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const client = new Redis({ port: server.port, host: '127.0.0.1' })
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    const allow = (...rules: string[]) =>
      client.call('ACL', 'SETUSER', 'upswell', 'reset', 'on', '>s3cret', ...rules)
    const url = `redis://upswell:s3cret@127.0.0.1:${server.port}`
    return { server, allow, url }
  }

  /** Starts a role that ends with the test. */
  async function started(env: Awaited<ReturnType<typeof installation>>, role = 'score') {
    const { upswell, url } = await startRole(main, role, env)
    upswell.endWithTest()
    const troubles = () =>
      logged(upswell).filter(({ level, msg }) => level === 'warn' || level === 'error' || /trouble/.test(msg))
    return { upswell, url, troubles }
  }

  test(
    'has nothing to say about a Redis user with the rights of the page',
    async () => {
      const { allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED)
      const { upswell, url, troubles } = await started(await installation(redisUrl))
      await untilReady(url)
      const ended = await upswell.kill('SIGTERM')
      expect([ended.code, ended.stderr, troubles()]).toEqual([0, '', []])
    },
    TIMEOUT_MS,
  )

  test(
    'names the command that Redis refuses, once, and says what to grant',
    async () => {
      const { allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED, '-info', '-evalsha', '-eval')
      const { upswell, url, troubles } = await started(await installation(redisUrl))
      await upswell.says(/NOPERM.*evalsha/)
      await sleep(8_000)
      const [skipped, ...refused] = troubles()
      expect(skipped).toMatchObject({
        level: 'warn',
        msg: expect.stringMatching(/^a library wrote to .*INFO/),
      })
      const lines = ['eval', 'evalsha'].map(command =>
        expect.objectContaining({
          level: 'error',
          code: 'STORE_UNAVAILABLE',
          msg: expect.stringMatching(
            new RegExp(`^the command ${command}: .*NOPERM.*'${command}' command.*; grant this command`),
          ),
        }),
      )
      expect(refused.sort((one, other) => one.msg.length - other.msg.length)).toEqual(lines)
      expect(upswell.stdout).not.toContain('s3cret')
      await allow(...GRANTED)
      await untilReady(url)
      expect((await upswell.kill('SIGTERM')).stderr).toBe('')
    },
    TIMEOUT_MS,
  )

  test(
    'says once that Redis refuses the password, and when it no longer does',
    async () => {
      const { allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED, 'resetpass', '>other')
      const { upswell, url, troubles } = await started(await installation(redisUrl), 'api')
      await upswell.says(/WRONGPASS/)
      await sleep(5_000)
      expect(troubles()).toEqual([
        expect.objectContaining({
          level: 'error',
          msg: expect.stringMatching(/^Redis at .*WRONGPASS .*; correct the user and password in REDIS_URL/),
        }),
      ])
      await allow(...GRANTED)
      await untilReady(url)
      await upswell.says(/Redis at .*: the trouble is over after/)
      expect(troubles()).toHaveLength(2)
      expect(upswell.stdout).not.toMatch(/s3cret|other/)
    },
    TIMEOUT_MS,
  )

  test(
    'has two lines for a Redis that hangs for a while, and none for each request',
    async () => {
      const { server, allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED)
      const { upswell, url, troubles } = await started(await installation(redisUrl))
      await untilReady(url)
      await server.kill('SIGSTOP')
      await until(async () => (await getJson(`${url}/readyz`)).status === 503)
      await sleep(12_000)
      await server.kill('SIGCONT')
      await untilReady(url)
      await until(() => troubles().length > 1)
      expect(troubles().map(({ level, msg }) => `${level} ${msg.slice(0, 40)}`)).toEqual([
        expect.stringMatching(/^warn /),
        expect.stringMatching(/^info the store: the trouble is over/),
      ])
      expect((await upswell.kill('SIGTERM')).stderr).toBe('')
    },
    TIMEOUT_MS,
  )

  test(
    'has two lines for a Kafka that hangs for a while, whatever the partitions',
    async () => {
      const { allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED)
      const broker = await startBroker()
      onTestFinished(() => broker.stop())
      const env = await installation(redisUrl, `127.0.0.1:${broker.port}`)
      const { upswell, url, troubles } = await started(env)
      await untilReady(url)
      await broker.kill('SIGSTOP')
      await sleep(20_000)
      await broker.kill('SIGCONT')
      await untilReady(url)
      const ended = await upswell.kill('SIGTERM')
      expect(ended.stderr).toBe('')
      const warnings = troubles().filter(({ level }) => level !== 'info')
      expect(warnings.map(({ level, code }) => `${level} ${code}`)).toEqual(['warn LOG_UNAVAILABLE'])
    },
    TIMEOUT_MS,
  )

  test(
    'has no warning when a process joins, and another stops or dies',
    async () => {
      const { allow, url: redisUrl } = await startedRedis()
      await allow(...GRANTED)
      const env = await installation(redisUrl)
      const producing = await traffic(env.UPSWELL_TOPIC_PREFIX)
      onTestFinished(() => producing.stop())
      const stays = await started(env)
      await untilReady(stays.url)
      const stops = await started(env)
      await untilReady(stops.url)
      await stops.upswell.kill('SIGTERM')
      const dies = await started(env)
      await untilReady(dies.url)
      await dies.upswell.kill('SIGKILL')
      await until(() => (stays.upswell.stdout.match(/joined the group/g)?.length ?? 0) >= 4, 60_000)
      await untilReady(stays.url)
      for (const { troubles } of [stays, stops, dies]) expect(troubles()).toEqual([])
    },
    TIMEOUT_MS,
  )
})

function usage(id: string, accountId: string): { readonly key: string; readonly value: string } {
  const occurredAt = new Date().toISOString()
  const value = JSON.stringify({
    id,
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    quantity: 1,
    occurredAt,
  })
  return { key: accountId, value }
}
