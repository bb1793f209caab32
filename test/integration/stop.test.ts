import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Connection, get, post } from '../api/connections.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, type Environment, getJson, runCli, untilJson } from '../commands/cli.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { logged, startRole, stopInTime, untilReady } from '../support/servers/role-process.ts'

const SETUP_TIMEOUT_MS = 180_000
const COUNT = 25
/** Far beyond the end of the log. */
const BEYOND = 1_000_000

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-stop-'))
  await writeFile(join(folder, 'growth.yaml'), GROWTH)
}, SETUP_TIMEOUT_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

const usage = (id: string) =>
  JSON.stringify({
    id,
    kind: 'usage',
    name: 'seat.invited',
    accountId: 'acme',
    occurredAt: new Date().toISOString(),
  })

describeIntegration('the API on Kafka and Redis', ({ kafkaBrokers, redisUrl }) => {
  test('answers what was sent before SIGTERM, refuses records that were never written, and lists no account twice', async () => {
    const name = `stop-${randomUUID().slice(0, 8)}`
    const env: Environment = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PARTITIONS: '2',
      UPSWELL_PORT: '0',
    }
    expect(await runCli(main, ['topics', 'create'], { env })).toMatchObject({ code: 0 })
    const [score, api] = await Promise.all([startRole(main, 'score', env), startRole(main, 'api', env)])
    for (const { upswell } of [score, api]) upswell.endWithTest()
    await Promise.all([score, api].map(({ url }) => untilReady(url)))

    const response = await fetch(`${api.url}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: usage('first'),
    })
    const { positions } = (await response.json()) as { positions: { partition: number; sequence: string }[] }
    const { partition, sequence } = positions[0]!
    expect(await getJson(`${api.url}/v1/accounts/acme?after=${sequence}`)).toMatchObject({ status: 200 })
    expect(await getJson(`${api.url}/v1/accounts?tier=warm,warm&tier=warm`)).toMatchObject({
      status: 200,
      body: { items: [{ accountId: 'acme' }] },
    })
    const beyond = `/v1/accounts/acme?after=${partition}:${BEYOND}`
    expect(await getJson(`${api.url}${beyond}`)).toMatchObject({
      status: 400,
      body: { code: 'UNKNOWN_SEQUENCE' },
    })

    const port = Number(new URL(api.url).port)
    const each = async (request: (i: number) => string) =>
      await Promise.all(Array.from({ length: COUNT }, (_, i) => Connection.open(port, request(i))))
    const half = await Connection.open(port, post('/v1/signals', usage('half').slice(0, 20), 200))
    const halfHeaders = await Connection.open(port, 'GET /v1/accounts HTTP/1.1\r\nhost: ups')
    const waiting = await each(() => get(beyond))
    const writing = await each(i => post('/v1/signals', usage(`s-${i}`)))
    const reading = await each(() => get('/v1/accounts/acme'))
    const ended = api.upswell.kill('SIGTERM')
    const { detail } = await untilJson<{ detail: string }>(
      `${api.url}/readyz`,
      ({ status }) => status === 503,
    )
    expect(detail).toBe('api: the service is stopping')
    for (const connection of waiting) {
      const { status, body } = (await connection.answer())!
      // A request that had waited long enough has asked the log already.
      expect(['503 STOPPING', '400 UNKNOWN_SEQUENCE']).toContain(`${status} ${body['code']}`)
    }
    for (const connection of writing) expect(await connection.answer()).toMatchObject({ status: 202 })
    for (const connection of reading) expect(await connection.answer()).toMatchObject({ status: 200 })
    expect(await half.answer()).toMatchObject({ status: 503, body: { code: 'STOPPING' } })
    expect(await halfHeaders.answer()).toBeUndefined()
    expect(await ended).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(logged(api.upswell).at(-1)!.msg).toBe('stopped')
    await stopInTime(score.upswell)
  })
})
