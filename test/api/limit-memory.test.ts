import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { bodyMemory } from '../../src/api/plugins/limit-memory.ts'
import { ByteQuota } from '../../src/lib/byte-quota.ts'
import { GROWTH, World } from './world.ts'

const KIB = 1024
const body = (id: string) => ({
  id,
  accountId: 'acme',
  kind: 'usage',
  name: 'x',
  occurredAt: '2026-11-22T09:00:00Z',
})

/** A world whose requests have 1 MiB, and a hold on its appends. */
async function smallWorld() {
  const memory = new ByteQuota(1024 * KIB)
  let go = (): void => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  const append = vi.fn(async () => {
    await held
    return [{ partition: 0, offset: 0 }]
  })
  const world = await World.create([GROWTH], { memory, appendSignals: append })
  // Spaces take memory like anything else.
  const post = async (id: string, size = 0) => {
    const payload = `${JSON.stringify(body(id))}${' '.repeat(size)}`
    const headers = { 'content-type': 'application/json' }
    return await world.api.inject({ method: 'POST', url: '/v1/signals', headers, payload })
  }
  return { world, memory, append, post, go }
}

test('requests that find no memory wait for it, and are answered', async () => {
  const { append, post, go, memory } = await smallWorld()
  const posts = ['a', 'b', 'c'].map(id => post(id, 100 * KIB))
  await vi.waitFor(() => expect(append).toHaveBeenCalledTimes(1))
  await sleep(20)
  expect([append.mock.calls.length, memory.waiting]).toEqual([1, 2])
  go()
  for (const answer of await Promise.all(posts)) expect(answer.statusCode).toBe(202)
  expect([memory.leased, memory.waiting]).toEqual([0, 0])
})

test('after 5 s a request gets 503, and may ask again', async () => {
  const { post, go, memory } = await smallWorld()
  go()
  const held = await memory.lease(1024 * KIB)
  const refused = await post('b', 150 * KIB)
  expect(refused.statusCode).toBe(503)
  expect(refused.headers['retry-after']).toBe('1')
  expect(refused.json()).toMatchObject({ code: 'OVERLOADED' })
  held.release()
  expect((await post('b', 150 * KIB)).statusCode).toBe(202)
})

test('if 1,000 requests wait for memory, the next one gets 503 at once', async () => {
  const { post, memory } = await smallWorld()
  const lease = await memory.lease(1024 * KIB)
  const waiting = Array.from({ length: 1_000 }, () => memory.lease(1))
  const answer = await post('a')
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('1')
  expect(answer.json()).toMatchObject({
    code: 'OVERLOADED',
    detail: expect.stringContaining('1000 requests wait for memory'),
  })
  lease.release()
  await Promise.all(waiting)
})

test('health and metrics never wait', async () => {
  const { world, memory } = await smallWorld()
  await memory.lease(1024 * KIB)
  for (const url of ['/livez', '/readyz', '/metrics'])
    expect((await world.api.inject(url)).statusCode).toBe(200)
})

test('a body counts by its length; packed, or of unknown length, by what it may become', () => {
  const memory = bodyMemory(8_000)
  // 6 bytes for each byte, and 10 KiB for the account of each 80.
  const all = 6 * 8_000 + 100 * 10 * KIB
  expect(memory({ 'content-length': '80' })).toBe(480 + 10 * KIB)
  expect(memory({ 'content-length': '50000' })).toBe(all)
  expect(memory({})).toBe(all)
  expect(memory({ 'content-length': '40', 'content-encoding': 'gzip' })).toBe(4_800 + 100 * KIB)
  expect(memory({ 'content-length': '800', 'content-encoding': 'gzip' })).toBe(all)
  expect(memory({ 'content-length': '80', 'content-encoding': 'identity' })).toBe(480 + 10 * KIB)
})

test('a body has at most 500 signals, so no more accounts are loaded for it', () => {
  expect(bodyMemory(10 ** 7)({ 'content-length': String(10 ** 6) })).toBe(6 * 10 ** 6 + 500 * 10 * KIB)
})
