import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { sendRequests } from '../../bench/api/api-load-requests.ts'
import { atRank } from '../../bench/report/statistics.ts'

describe('requests sent at their times', () => {
  let server: Server

  afterEach(() => {
    server.close()
  })

  async function listen(answer: Parameters<typeof createServer>[1]): Promise<string> {
    server = createServer(answer)
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const load = { requestsPerSecond: 400, seconds: 0.25, connections: 4 }

  it('are as many as requested, path after path, whatever the answers are', async () => {
    const asked: string[] = []
    const url = await listen((request, response) => {
      asked.push(request.url!)
      const status = request.url === '/missing' ? 404 : 200
      response.writeHead(status, { 'content-length': 5 }).end('12345')
    })
    const { sent, answered, otherStatuses, errors, bodyBytes, latenciesMs } = await sendRequests({
      ...load,
      url,
      paths: ['/there', '/missing'],
    })
    expect([sent, answered, errors, bodyBytes]).toEqual([100, 100, 0, 500])
    expect(otherStatuses).toEqual(new Map([[404, 50]]))
    expect(asked.toSorted()).toEqual([...Array(50).fill('/missing'), ...Array(50).fill('/there')])
    expect(latenciesMs).toEqual(latenciesMs.toSorted())
  })

  it('read each answer to its end, even if it comes in parts', async () => {
    const url = await listen(async (_request, response) => {
      response.writeHead(200, { 'content-length': 6 })
      response.flushHeaders()
      for (const part of ['123', '456']) {
        await nextTurn()
        response.write(part)
      }
      response.end()
    })
    const { answered, bodyBytes } = await sendRequests({ ...load, url, paths: ['/'] })
    expect([answered, bodyBytes]).toEqual([100, 600])
  })

  it('count the wait for a connection from when they were due', async () => {
    let release = () => {}
    let held = 0
    // The first answer waits until all requests are due.
    const url = await listen((_request, response) => {
      const answer = () => response.writeHead(200, { 'content-length': 1 }).end('1')
      held++
      if (held > 1) answer()
      else release = answer
    })
    const all = sendRequests({ ...load, url, paths: ['/'], connections: 1 })
    setTimeout(() => release(), load.seconds * 1000 + 50)
    const { answered, latenciesMs } = await all
    expect(answered).toBe(100)
    expect(held).toBe(100)
    // At least half of the requests waited for half of that time: none was answered before the first.
    const half = (load.seconds * 1000) / 2
    expect(atRank(latenciesMs, 0.5)).toBeGreaterThanOrEqual(half)
  })

  it('have quantiles that are actual values', () => {
    const values = Float64Array.of(1, 2, 3, 4)
    expect([0, 0.25, 0.5, 0.99, 1].map(share => atRank(values, share))).toEqual([1, 1, 2, 4, 4])
  })
})
