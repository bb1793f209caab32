import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { POPULATION } from '../api/world.ts'
import { buildCli, type CliProcess, type Environment, runCli, untilJson } from '../commands/cli.ts'
import { until } from '../support/log-handlers.ts'
import { startBroker } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { type Answer, ask, isRefusal, Polling } from '../support/servers/polling.ts'
import { startRedis } from '../support/servers/redis-server.ts'
import { startRole, untilReady } from '../support/servers/role-process.ts'
import type { ServerProcess } from '../support/servers/server-process.ts'

const SETUP_TIMEOUT_MS = 180_000
const TEST_TIMEOUT_MS = 120_000
const PARTITIONS = 3
const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `account-${i}`)
const SIGNALS_EACH = 20
/** A bound for safety: readiness itself waits 1 s for Kafka and Redis. */
const SOON_MS = 4_000
const URLS = [
  ...ACCOUNTS.filter((_, i) => i % 6 === 0).flatMap(id => [
    `/v1/accounts/${id}`,
    `/v1/accounts/${id}/explanation`,
  ]),
  '/v1/accounts/never-seen',
  '/v1/accounts?limit=100',
  '/v1/accounts?model=growth&sort=score',
  '/v1/accounts?model=none',
  '/v1/rates/invitation-rate',
  '/v1/rates/none',
  '/v1/kpis',
]

type Role = Awaited<ReturnType<typeof startRole>>

describe.skipIf((await missingForMaven()) !== undefined)('with a Kafka and a Redis of its own', () => {
  let kafka: ServerProcess
  let redisServer: ServerProcess
  let redis: Redis
  let folder: string
  let main: string
  let env: Environment
  let roles: Record<'ingest' | 'score' | 'api', Role>
  const started: CliProcess[] = []

  beforeAll(async () => {
    ;[main, kafka, redisServer] = await Promise.all([buildCli(), startBroker(), startRedis()])
    redis = new Redis(redisServer.port)
    folder = await mkdtemp(join(tmpdir(), 'upswell-filling-'))
    await writeFile(join(folder, 'growth.yaml'), POPULATION)
    env = {
      KAFKA_BROKERS: `127.0.0.1:${kafka.port}`,
      REDIS_URL: `redis://127.0.0.1:${redisServer.port}`,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_PARTITIONS: String(PARTITIONS),
      UPSWELL_PARITY_INTERVAL_MS: '0',
      UPSWELL_PORT: '0',
    }
    expect(await runCli(main, ['topics', 'create'], { env })).toMatchObject({ code: 0 })
    const [ingest, score, api] = await Promise.all([start('ingest'), start('score'), start('api')])
    roles = { ingest, score, api }
    await everyRoleIsReady()
    let positions: readonly Position[] = []
    for (let i = 0; i < SIGNALS_EACH; i++)
      positions = await post(
        api.url,
        ACCOUNTS.map(id => usage(id, i)),
      )
    for (const [i, { sequence }] of positions.entries())
      expect((await ask(`${api.url}/v1/accounts/${ACCOUNTS[i]}?after=${sequence}`)).status).toBe(200)
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    for (const upswell of started) await upswell.kill('SIGKILL')
    redis.disconnect()
    await Promise.all([kafka.stop(), redisServer.stop()])
    await rm(folder, { recursive: true, force: true })
  })

  test.each([
    ['FLUSHALL', async () => void (await redis.flushall())],
    [
      'upswell rebuild',
      async () => void expect(await runCli(main, ['rebuild'], { env })).toMatchObject({ code: 0 }),
    ],
    [
      'FLUSHALL, and an API that starts then',
      async () => {
        await redis.flushall()
        roles.api = await start('api')
      },
    ],
  ])(
    'answers as before or with 503 and Retry-After, at each moment: %s',
    async (_, lose) => {
      const before = new Map(
        await Promise.all(URLS.map(async url => [url, await ask(roles.api.url + url)] as const)),
      )
      expect(new Set([...before.values()].map(({ status }) => status))).toEqual(new Set([200, 400, 404]))
      const asked = new Polling(URLS, () => roles.api.url)
      const readiness = new Polling(['/readyz'], () => roles.api.url)
      await lose()
      await until(async () => (await ask(`${roles.api.url}/readyz`)).status === 200)
      const refused = await asked.stop()
      await readiness.stop()

      const wrong = refused.filter(({ url, answer }) => {
        const { status, body } = before.get(url)!
        return !(answer.status === status && answer.body === body) && !isRefusal(answer)
      })
      expect(wrong).toEqual([])
      expect(refused.filter(({ answer }) => isRefusal(answer)).length).toBeGreaterThan(0)
      const texts = readiness.answers.map(({ answer }) => answer.body)
      expect(texts.filter(text => /"filling: |whether a replay was promoted/.test(text))).not.toEqual([])
      for (const [url, { status, body }] of before)
        expect(await ask(roles.api.url + url)).toMatchObject({ status, body })
    },
    TEST_TIMEOUT_MS,
  )

  test(
    'names the partitions that are being filled, and how far they are',
    async () => {
      for (let partition = 0; partition < PARTITIONS; partition++)
        await redis.hset(`upswell:default:{${partition}}:partition`, 'whole', 1_000_000)
      const { body } = await ask(`${roles.api.url}/readyz`)
      const { errors } = JSON.parse(body) as { errors: { detail: string }[] }
      expect(errors.map(({ detail }) => detail)).toEqual(
        Array.from({ length: PARTITIONS }, (_, partition) =>
          expect.stringMatching(
            new RegExp(
              `^filling: partition ${partition} of the store is being filled: it is stored up to offset \\d+, and is whole at offset 1000000$`,
            ),
          ),
        ),
      )
      for (let partition = 0; partition < PARTITIONS; partition++)
        await redis.hset(`upswell:default:{${partition}}:partition`, 'whole', 0)
      await untilReady(roles.api.url)
    },
    TEST_TIMEOUT_MS,
  )

  test(
    'readiness says soon that a frozen Redis does not answer, and the API answers 503 with Retry-After',
    async () => {
      await redisServer.kill('SIGSTOP')
      try {
        const [score, api] = await Promise.all([
          askSoon(roles.score, '/readyz'),
          askSoon(roles.api, '/readyz'),
        ])
        for (const { status, body } of [score, api])
          expect([status, body]).toEqual([
            503,
            expect.stringMatching(/"store: it has not answered for \d+ s"/),
          ])
        await expectAliveAndMeasured()
        const account = await ask(`${roles.api.url}/v1/accounts/account-0`)
        expect([account.status, account.retryAfter]).toEqual([503, '1'])
      } finally {
        await redisServer.kill('SIGCONT')
      }
      await everyRoleIsReady()
    },
    TEST_TIMEOUT_MS,
  )

  test(
    'readiness of each role says soon that a frozen Kafka does not answer, and the API goes on answering',
    async () => {
      await kafka.kill('SIGSTOP')
      try {
        for (const { status, body } of await Promise.all(
          Object.values(roles).map(role => askSoon(role, '/readyz')),
        ))
          expect([status, body]).toEqual([503, expect.stringMatching(/"log: it has not answered for \d+ s"/)])
        await expectAliveAndMeasured()
        expect((await ask(`${roles.api.url}/v1/accounts/account-0`)).status).toBe(200)
        expect((await ask(`${roles.api.url}/v1/accounts`)).status).toBe(200)
      } finally {
        await kafka.kill('SIGCONT')
      }
      await everyRoleIsReady()
    },
    TEST_TIMEOUT_MS,
  )

  async function start(role: 'ingest' | 'score' | 'api'): Promise<Role> {
    const found = await startRole(main, role, env)
    started.push(found.upswell)
    return found
  }

  async function everyRoleIsReady(): Promise<void> {
    await Promise.all(
      Object.values(roles).map(({ url }) =>
        untilJson(`${url}/readyz`, ({ status }) => status === 200, 90_000),
      ),
    )
  }

  async function expectAliveAndMeasured(): Promise<void> {
    for (const role of Object.values(roles))
      for (const path of ['/livez', '/metrics']) expect((await askSoon(role, path)).status).toBe(200)
  }
})

async function askSoon({ url }: Role, path: string): Promise<Answer> {
  const askedAt = performance.now()
  const answer = await ask(url + path)
  expect(performance.now() - askedAt, path).toBeLessThan(SOON_MS)
  return answer
}

interface Position {
  readonly sequence: string
}

async function post(url: string, signals: readonly object[]): Promise<readonly Position[]> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/signals`, {
    method: 'POST',
    headers,
    body: JSON.stringify(signals),
  })
  expect(response.status).toBe(202)
  return ((await response.json()) as { positions: Position[] }).positions
}

function usage(accountId: string, i: number): object {
  return {
    id: `${accountId}-${i}`,
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    userId: `user-${i % 7}`,
    occurredAt: new Date().toISOString(),
  }
}
