import { once } from 'node:events'
import { fastify } from 'fastify'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { limitConnections } from '../../src/api/plugins/limit-connections.ts'
import { Connection, listen } from './connections.ts'
import { GROWTH, World } from './world.ts'

test('a connection beyond the limit is closed and counted, and there is room when another one closes', async () => {
  const registry = new Registry()
  const api = fastify()
  limitConnections(api, registry, 2)
  api.get('/', async () => 'here')
  const port = await listen(api)
  const open = [await Connection.open(port), await Connection.open(port)]
  await expect.poll(() => openConnections(api.server)).toBe(2)
  const third = await Connection.open(port)
  expect(await third.received).toBe('')
  expect(await registry.metrics()).toContain('upswell_http_connections_refused_total 1')
  open[0]!.socket.destroy()
  await once(open[0]!.socket, 'close')
  await expect.poll(() => openConnections(api.server)).toBe(1)
  const answer = await fetch(`http://127.0.0.1:${port}/`)
  expect(await answer.text()).toBe('here')
  open[1]!.socket.destroy()
  await api.close()
})

test('the API has a limit of connections', async () => {
  const { api } = await World.create([GROWTH])
  expect(api.server.maxConnections).toBe(2_000)
})

function openConnections(server: import('node:net').Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )
}
