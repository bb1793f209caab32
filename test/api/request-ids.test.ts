import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import type { LogFields } from '../../src/lib/logger.ts'
import { GROWTH, World } from './world.ts'

const lines: (readonly [string, string, LogFields | undefined])[] = []
let world: World
beforeAll(async () => {
  const at = (level: string) => (text: string, fields?: LogFields) => void lines.push([level, text, fields])
  world = await World.create([GROWTH], {
    logger: { info: at('info'), warn: at('warn'), error: at('error') },
  })
})
afterAll(() => world.api.close())

const ask = (id?: string, url = '/v1/accounts/nobody') =>
  world.api.inject({ url, headers: id === undefined ? {} : { 'x-request-id': id } })

test.each(['a', '4bf92f35-77b3-4da6:0/1', 'x'.repeat(128)])('a request keeps its id %s', async id => {
  const response = await ask(id)
  expect(response.headers['x-request-id']).toBe(id)
  expect(response.json()).toMatchObject({ status: 404, requestId: id })
})

test.each([undefined, '', 'x'.repeat(129), 'a b', 'a"b', 'é', '{}'])(
  'a request with the id %s gets a new one',
  async id => {
    const response = await ask(id)
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(response.json()).toMatchObject({ requestId: response.headers['x-request-id'] })
  },
)

test('an answer without an error has an id too, and no line', async () => {
  lines.length = 0
  expect((await ask('mine', '/v1/accounts')).headers['x-request-id']).toBe('mine')
  await ask('mine')
  await ask('mine', '/readyz')
  expect(lines).toEqual([])
})

test('an answer with 5xx has one line with the id and the path, and without the query', async () => {
  lines.length = 0
  const away = new UpswellError('STORE_UNAVAILABLE', 'Redis: it is away', { canRetry: true })
  const load = vi
    .spyOn(world.store, 'list')
    .mockRejectedValueOnce(away)
    .mockRejectedValueOnce(new Error('oh'))
  await ask('first', '/v1/accounts?tier=hot&limit=2')
  await ask('second', '/v1/accounts?limit=1')
  load.mockRestore()
  expect(lines).toEqual([
    [
      'warn',
      'GET /v1/accounts was answered with 503 STORE_UNAVAILABLE: STORE_UNAVAILABLE: Redis: it is away',
      { requestId: 'first', path: '/v1/accounts', code: 'STORE_UNAVAILABLE' },
    ],
    [
      'error',
      'GET /v1/accounts failed: oh',
      expect.objectContaining({ requestId: 'second', stack: expect.stringContaining('oh') }),
    ],
  ])
})
