import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../../src/lib/deferred.ts'
import { GROWTH, NOW, signal, World } from './world.ts'

let world: World
let port: number

beforeEach(async () => {
  world = await World.create([GROWTH])
  await world.api.listen({ host: '127.0.0.1', port: 0 })
  port = (world.api.server.address() as AddressInfo).port
})

afterEach(async () => {
  vi.useRealTimers()
  await world.requests.closeAnswered(world.api)
})

/** A connection that has sent `text`, and keeps what it gets. */
class Client {
  received = ''
  readonly closed: Promise<void>
  readonly #socket: Socket

  /** @param allowHalfOpen whether it keeps its side open when the server closes */
  constructor(text: string, allowHalfOpen = false) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen })
    this.#socket.setEncoding('utf8').on('data', part => {
      this.received += part
    })
    this.closed = new Promise(resolve => this.#socket.on('error', () => {}).once('close', () => resolve()))
    this.#socket.write(text)
    onTestFinished(() => {
      this.#socket.destroy()
    })
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.received)?.[1])
  }

  leave(): void {
    this.#socket.destroy()
  }
}

const usage = { id: 's1', kind: 'usage', name: 'seat.invited', accountId: 'acme' }
const HALF_A_POST =
  'POST /v1/signals HTTP/1.1\r\nhost: upswell\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n[{"id":"s1",'

async function untilTrue(test: () => boolean): Promise<void> {
  while (!test()) await sleep(5)
}

describe('a stop', () => {
  it('answers the requests under way, though they take a while', async () => {
    const { promise, resolve } = deferred()
    const load = world.store.readAccounts.bind(world.store)
    vi.spyOn(world.store, 'readAccounts').mockImplementation(async (...args) => {
      await promise
      return await load(...args)
    })
    await world.append([signal('acme')])
    const url = `http://127.0.0.1:${port}/v1/accounts/acme`
    const answers = Array.from({ length: 50 }, () => fetch(url))
    await sleep(50)
    const stopped = world.requests.closeAnswered(world.api)
    const during = await fetch(`http://127.0.0.1:${port}/livez`)
    expect([during.status, during.headers.get('connection')]).toEqual([200, 'close'])
    resolve()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(new Array(50).fill(200))
    await stopped
    await expect(fetch(url)).rejects.toThrow()
  })

  it('answers at once a request that waits for a record', async () => {
    await world.append([signal('acme')])
    world.foldsAtOnce = false
    await world.append([signal('acme')])
    const own = world.partitionOf('acme')
    const answer = fetch(`http://127.0.0.1:${port}/v1/accounts/acme?after=${own}:2`)
    await sleep(50)
    await world.requests.closeAnswered(world.api)
    const { status, headers } = await answer
    const { code } = (await (await answer).json()) as { code: string }
    expect([status, headers.get('retry-after'), code]).toEqual([503, '1', 'STOPPING'])
  })

  it('answers 503 to a write that does not end, since its outcome is unknown', async () => {
    const asked = vi.fn()
    const hanging = await World.create([GROWTH], {
      appendSignals: () => {
        asked()
        return new Promise(() => {})
      },
    })
    const answer = fetch(`${await hanging.api.listen({ host: '127.0.0.1', port: 0 })}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...usage, occurredAt: new Date(NOW) }),
    })
    await vi.waitFor(() => expect(asked).toHaveBeenCalled())
    await hanging.requests.closeAnswered(hanging.api)
    const { status, headers } = await answer
    const { code, detail } = (await (await answer).json()) as { code: string; detail: string }
    expect([status, headers.get('retry-after'), code]).toEqual([503, '1', 'LOG_UNAVAILABLE'])
    expect(detail).toMatch(/unknown whether .* same ids/)
  })

  it('answers 503 to a request whose body does not arrive, since nothing was written', async () => {
    const received = vi.fn()
    world.api.server.once('request', received)
    const client = new Client(HALF_A_POST)
    await vi.waitFor(() => expect(received).toHaveBeenCalled())
    await world.requests.closeAnswered(world.api)
    await client.closed
    expect(client.status).toBe(503)
    expect(client.received).toMatch(/STOPPING/)
    expect(client.received).toMatch(/nothing was written/)
  })

  it.each([
    ['a part of a body', HALF_A_POST],
    ['a part of the headers', 'GET /v1/accounts HTTP/1.1\r\nhost: ups'],
    ['nothing', ''],
  ])('is not held up by a connection that sent %s', async (_, text) => {
    const client = new Client(text)
    await sleep(50)
    await world.requests.closeAnswered(world.api)
    await client.closed
  })
})

describe('a request that the client does not finish', () => {
  it('is answered 408, and counted as such', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const client = new Client(HALF_A_POST)
    const received = vi.fn()
    world.api.server.once('request', received)
    while (received.mock.calls.length === 0) await new Promise(resolve => setImmediate(resolve))
    await vi.advanceTimersByTimeAsync(10_000)
    vi.useRealTimers()
    await client.closed
    expect(client.status).toBe(408)
    expect(client.received).toMatch(/content-type: application\/problem\+json/)
    expect(client.received).toContain('"code":"TOO_SLOW"')
    expect(await world.metrics.metrics()).toMatch(/route="\/v1\/signals",method="POST",status="408"} 1\n/)
  })

  it('is counted as left, not as an error of ours, if the client goes', async () => {
    vi.spyOn(world.store, 'readAccounts').mockReturnValue(new Promise(() => {}))
    await world.append([signal('acme')])
    const client = new Client('GET /v1/accounts/acme HTTP/1.1\r\nhost: upswell\r\n\r\n')
    await untilTrue(() => vi.mocked(world.store.readAccounts).mock.calls.length > 0)
    client.leave()
    const counted = /route="\/v1\/accounts\/:id",method="GET",status="499"} 1\n/
    while (!counted.test(await world.metrics.metrics())) await sleep(10)
    expect(await world.metrics.metrics()).not.toMatch(/status="5/)
  })

  it('is answered with a problem if it is not HTTP', async () => {
    const client = new Client('this is not HTTP\r\n\r\n')
    await client.closed
    expect(client.status).toBe(400)
    expect(client.received).toContain('"code":"INVALID_REQUEST"')
  })

  it('lets go of the connection of a broken request, though the client keeps its side open', async () => {
    const client = new Client('this is not HTTP\r\n\r\n', true)
    await vi.waitFor(() => expect(client.status).toBe(400))
    await vi.waitFor(async () => {
      const open = await new Promise((resolve, reject) =>
        world.api.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      )
      expect(open).toBe(0)
    })
  })

  it('is answered 431 if its headers are too large', async () => {
    const client = new Client(`GET / HTTP/1.1\r\nhost: upswell\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`)
    await client.closed
    expect(client.status).toBe(431)
    expect(client.received).toContain('"code":"HEADERS_TOO_LARGE"')
  })
})

describe('a compressed body', () => {
  const text = JSON.stringify([
    { id: 's1', kind: 'usage', name: 'seat.invited', accountId: 'acme', occurredAt: new Date(NOW) },
  ])

  async function post(encoding: string, body: Uint8Array<ArrayBuffer>) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body,
    })
    const { code } = (await response.json()) as { code?: string }
    return [response.status, code]
  }

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['x-gzip', gzipSync],
    ['GZip', gzipSync],
  ] as const)('is accepted as %s', async (encoding, pack) => {
    expect(await post(encoding, new Uint8Array(pack(text)))).toEqual([202, undefined])
    expect(world.appended.map(({ signals }) => signals.map(({ id }) => id))).toEqual([['s1']])
  })

  it('is refused if it unpacks to more than a body may have', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(1024 * 1024)
    const before = process.memoryUsage.rss()
    expect(await post('gzip', new Uint8Array(bomb))).toEqual([413, 'BODY_TOO_LARGE'])
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024)
    expect(world.appended).toEqual([])
  })

  it('is refused if its encoding is another, or is not what it is said to be', async () => {
    expect(await post('compress', new Uint8Array(gzipSync(text)))).toEqual([415, 'UNSUPPORTED_ENCODING'])
    const { headers } = await world.api.inject({
      method: 'POST',
      url: '/v1/signals',
      headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' },
      payload: text,
    })
    expect(headers['accept-encoding']).toBe('gzip, deflate, br, identity')
    expect(await post('gzip', new Uint8Array(Buffer.from(text)))).toEqual([400, 'INVALID_JSON'])
    expect(await post('gzip', new Uint8Array(gzipSync(text).subarray(0, 40)))).toEqual([400, 'INVALID_JSON'])
  })
})

describe('a query parameter without a value', () => {
  it.each([
    ['/v1/accounts', ['model', 'tier', 'facet', 'minScore', 'sort', 'limit', 'cursor']],
    ['/v1/accounts/acme', ['after']],
    ['/v1/accounts/acme/explanation', ['after', 'model']],
    ['/v1/rates/invitation-rate', ['model', 'from', 'to', 'every', 'window', 'by', 'stage']],
    ['/v1/kpis', ['model', 'month', 'by']],
  ])('is refused by %s, and named', async (path, parameters) => {
    await world.append([signal('acme')])
    for (const parameter of parameters) {
      for (const query of [parameter, `${parameter}=`, `${parameter}=%20`, `${parameter}=x&${parameter}=`]) {
        const response = await world.api.inject(`${path}?${query}`)
        expect([query, response.statusCode, response.json().code]).toEqual([query, 400, 'INVALID_REQUEST'])
        expect(response.json().errors[0].field).toBe(parameter)
      }
    }
  })

  it('is refused if it is blank, also where an empty one has a meaning', async () => {
    const response = await world.api.inject('/v1/kpis?csm=%20')
    expect([response.statusCode, response.json().errors]).toEqual([
      400,
      [{ field: 'csm', found: ' ', accepted: 'a value; or leave the parameter out' }],
    ])
  })

  it.each(['/livez?verbose', '/readyz?verbose=', '/metrics?x', '/?x='])('is ignored by %s', async url => {
    expect((await world.api.inject(url)).statusCode).toBe(200)
  })

  it('is refused among several tiers', async () => {
    const response = await world.api.inject('/v1/accounts?tier=hot,')
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      'tier is ""; accepted for growth: cold, warm, hot.',
    ])
  })

  it('is refused where a parameter that has one value is repeated', async () => {
    for (const query of ['limit=1&limit=2', 'model=growth&model=growth', 'sort=score&sort=-score']) {
      const response = await world.api.inject(`/v1/accounts?${query}`)
      expect([query, response.statusCode]).toEqual([query, 400])
    }
  })
})
