import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RequestsUnderWay } from '../../src/api/plugins/requests-under-way.ts'
import { servedFrom } from '../../src/api/read/served.ts'
import { createApi } from '../../src/api/server.ts'
import { ByteQuota } from '../../src/lib/byte-quota.ts'
import { silent } from '../support/log-handlers.ts'
import { GROWTH, NOW, signal, World } from './world.ts'

describe('the operations routes', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([GROWTH])
  })

  afterEach(async () => {
    vi.useRealTimers()
    await world.api.close()
  })

  it('GET /livez answers as long as the process runs', async () => {
    world.problems = ['store: no answer']
    const response = await world.api.inject('/livez')
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }])
  })

  it('GET /readyz lists the reasons if the service is not ready', async () => {
    const ready = await world.api.inject('/readyz')
    expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ready' }])
    world.problems = ['store: no answer', 'score: no partition is assigned']
    const unready = await world.api.inject('/readyz')
    expect([unready.statusCode, unready.headers['content-type']]).toEqual([
      503,
      'application/problem+json; charset=utf-8',
    ])
    expect(unready.json()).toEqual({
      type: '/problems/not-ready',
      title: 'Not ready',
      status: 503,
      detail: 'store: no answer; score: no partition is assigned',
      instance: '/readyz',
      requestId: expect.any(String),
      code: 'NOT_READY',
      errors: [{ detail: 'store: no answer' }, { detail: 'score: no partition is assigned' }],
    })
  })

  it('GET /metrics counts requests by route, not by path, and includes the process metrics', async () => {
    await world.append([signal('acme')])
    await world.api.inject('/v1/accounts/acme')
    await world.api.inject('/v1/accounts/nobody')
    await world.api.inject('/v1/accounts/somebody')
    await world.api.inject('/somewhere/else')
    const { statusCode, headers, body } = await world.api.inject('/metrics')
    expect(statusCode).toBe(200)
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    const count = (labels: string) =>
      body.split('\n').find(line => line.startsWith(`upswell_http_request_duration_seconds_count{${labels}}`))
    expect(count('route="/v1/accounts/:id",method="GET",status="200"')).toMatch(/ 1$/)
    expect(count('route="/v1/accounts/:id",method="GET",status="404"')).toMatch(/ 2$/)
    expect(count('route="none",method="GET",status="404"')).toMatch(/ 1$/)
    expect(body).not.toMatch(/nobody|somewhere/)
    expect(body).toContain('nodejs_eventloop_lag_seconds')
  })

  it('accepts a registry that already has the process metrics', async () => {
    const { metrics } = world
    const second = createApi({
      served: servedFrom(
        () => ({ store: world.store, publishedOffsets: async () => new Map() }),
        world.library,
      ),
      metrics,
      appendSignals: async () => [],
      endOfLog: async () => undefined,
      requests: new RequestsUnderWay(),
      memory: new ByteQuota(64 * 1024 * 1024),
      problems: async () => [],
      now: () => NOW,
      logger: silent,
    })
    expect((await second.inject('/metrics')).statusCode).toBe(200)
    await second.close()
  })

  it('GET / lists the paths', async () => {
    const response = await world.api.inject('/')
    expect(response.json()).toEqual({
      name: 'Upswell',
      links: {
        accounts: '/v1/accounts',
        account: '/v1/accounts/{id}',
        explanation: '/v1/accounts/{id}/explanation',
        signals: '/v1/signals',
        openapi: '/openapi.json',
        alive: '/livez',
        ready: '/readyz',
        metrics: '/metrics',
      },
    })
  })

  it('answers an unknown route with a problem', async () => {
    const response = await world.api.inject({ method: 'DELETE', url: '/v1/accounts/acme?really=1' })
    expect([response.statusCode, response.headers['content-type']]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    expect(response.json()).toEqual({
      type: '/problems/route-not-found',
      title: 'No such route',
      status: 404,
      detail: 'There is no DELETE /v1/accounts/acme. /openapi.json lists the routes.',
      instance: '/v1/accounts/acme?really=1',
      requestId: expect.any(String),
      code: 'ROUTE_NOT_FOUND',
    })
  })

  it('answers 503 if an answer takes too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(world.store, 'readAccounts').mockReturnValue(new Promise(() => {}))
    const answer = world.api.inject('/v1/accounts/acme')
    await vi.advanceTimersByTimeAsync(10_000)
    const response = await answer
    expect([response.statusCode, response.json().code]).toEqual([503, 'TIMED_OUT'])
  })
})
