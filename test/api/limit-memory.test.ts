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
  const first = post('a', 150 * KIB)
  await vi.waitFor(() => expect(memory.leased).toBeGreaterThan(0))
  const second = await post('b', 150 * KIB)
  expect(second.statusCode).toBe(503)
  expect(second.headers['retry-after']).toBe('1')
  expect(second.json()).toMatchObject({ code: 'OVERLOADED' })
  go()
  expect((await first).statusCode).toBe(202)
  expect((await post('b', 150 * KIB)).statusCode).toBe(202)
})

test('health and metrics never wait', async () => {
  const { world, memory } = await smallWorld()
  await memory.lease(1024 * KIB)
  for (const url of ['/livez', '/readyz', '/metrics'])
    expect((await world.api.inject(url)).statusCode).toBe(200)
})

test('a body counts by its length; packed, or of unknown length, by what it may become', () => {
  const memory = bodyMemory(1_000)
  expect(memory({ 'content-length': '100' })).toBe(600)
  expect(memory({ 'content-length': '5000' })).toBe(6_000)
  expect(memory({})).toBe(6_000)
  expect(memory({ 'content-length': '10', 'content-encoding': 'gzip' })).toBe(1_200)
  expect(memory({ 'content-length': '100', 'content-encoding': 'gzip' })).toBe(6_000)
  expect(memory({ 'content-length': '100', 'content-encoding': 'identity' })).toBe(600)
})
