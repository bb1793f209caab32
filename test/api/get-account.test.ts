import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { silent } from '../support/log-handlers.ts'
import { DAY_MS, FIT, GROWTH, NOW, signal, World } from './world.ts'

const at = new Date(NOW).toISOString()
const pqlId = expect.stringMatching(/^[0-9a-f]{32}$/)

describe('GET /v1/accounts/{id}', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([FIT, GROWTH])
  })

  afterEach(async () => {
    vi.useRealTimers()
    await world.api.close()
  })

  async function get(accountId: string, query = '', headers: Record<string, string> = {}) {
    const response = await world.api.inject({
      url: `/v1/accounts/${encodeURIComponent(accountId)}${query}`,
      headers,
    })
    return { status: response.statusCode, headers: response.headers, body: response.body && response.json() }
  }

  it('shows the standings of every model, with open and held PQLs and what to do next', async () => {
    await world.append([
      signal('acme', { id: 'seats', kind: 'contract', name: 'contract', properties: { seats: 4 } }),
      signal('acme', { id: 'nps', kind: 'health', name: 'health', properties: { nps: -20 } }),
      ...['u1', 'u2', 'u3', 'u4'].map(userId => signal('acme', { id: userId, userId })),
    ])
    const { status, headers, body } = await get('acme')
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(body).toEqual({
      accountId: 'acme',
      asOf: at,
      sequence: `${world.partitionOf('acme')}:6`,
      status: 'SCORED',
      standings: [
        {
          modelId: 'fit',
          modelVersion: 1,
          modelName: 'Fit',
          inScope: true,
          override: null,
          score: 0,
          tier: 'poor',
          tierTitle: 'Poor',
          action: 'Leave it',
          tierSince: at,
          changedAt: at,
          cause: { type: 'signal', signalId: 'seats' },
          coverage: 0,
          groups: { size: 0 },
          pqls: [],
        },
        {
          modelId: 'growth',
          modelVersion: 3,
          modelName: 'Growth',
          inScope: true,
          override: null,
          // 0.6 × 10 (8 + 4 points, capped at 10) × 10 + 0.4 × 0 × 10
          score: 60,
          tier: 'warm',
          tierTitle: 'Warm',
          action: 'Send the benefits mail',
          tierSince: at,
          changedAt: at,
          cause: { type: 'signal', signalId: 'u4' },
          coverage: 1,
          groups: { usage: 10, mood: 0 },
          pqls: [
            {
              pqlId,
              trigger: 'seats-full',
              motion: 'seat-expansion',
              status: 'held',
              since: at,
              expiresAt: new Date(NOW + 30 * DAY_MS).toISOString(),
              reasons: ['100% of the seats are used'],
              evidence: { utilization: 1 },
              play: ['Offer ten more seats', 'Ask for the budget'],
              decisionTimeline: 'two weeks',
            },
            {
              pqlId,
              trigger: 'inviting',
              motion: 'plan-upgrade',
              status: 'open',
              since: at,
              expiresAt: new Date(NOW + 30 * DAY_MS).toISOString(),
              reasons: ['4 invites in 30 days'],
              evidence: { invites: 4 },
              play: [],
              decisionTimeline: '',
            },
          ],
        },
      ],
      // The open PQL has no play, and a held one does not count. No tier was entered later than growth's.
      nextPlay: { source: 'tier', modelId: 'fit', tier: 'poor', steps: ['Leave it'] },
    })
  })

  it('shows the play of the best open PQL', async () => {
    await world.append([
      signal('acme', { id: 'seats', kind: 'contract', name: 'contract', properties: { seats: 1 } }),
      signal('acme', { id: 'used', userId: 'u1' }),
    ])
    expect((await get('acme')).body.nextPlay).toEqual({
      source: 'pql',
      modelId: 'growth',
      tier: 'hot',
      pqlId,
      trigger: 'seats-full',
      steps: ['Offer ten more seats', 'Ask for the budget'],
    })
  })

  it('shows the action of the tier that was entered last if no PQL is open', async () => {
    await world.append([signal('acme', { id: '1', name: 'page.viewed' })], NOW)
    await world.append([signal('acme', { id: '2', occurredAt: NOW + DAY_MS })], NOW + DAY_MS)
    expect((await get('acme')).body.nextPlay).toEqual({
      source: 'tier',
      modelId: 'growth',
      tier: 'warm',
      steps: ['Send the benefits mail'],
    })
  })

  it('answers NO_SCORE for an account without a score, and 404 for an unknown account', async () => {
    const early = await World.create([])
    await early.append([signal('acme')])
    expect((await early.api.inject('/v1/accounts/acme')).json()).toEqual({
      accountId: 'acme',
      asOf: at,
      sequence: `${early.partitionOf('acme')}:0`,
      status: 'NO_SCORE',
      standings: [],
      nextPlay: null,
    })
    const unknown = await early.api.inject('/v1/accounts/acne')
    expect(unknown.headers['content-type']).toBe('application/problem+json; charset=utf-8')
    expect(unknown.json()).toEqual({
      type: '/problems/not-found',
      title: 'No such account',
      status: 404,
      detail: 'No signal of the account "acne" was scored.',
      instance: '/v1/accounts/acne',
      requestId: expect.any(String),
      code: 'NOT_FOUND',
    })
    await early.api.close()
  })

  it('answers 404 in an installation that has scored nothing, and 503 with after', async () => {
    const early = await World.create([])
    early.store.empty()
    const answer = async (url: string) => (await early.api.inject(url)).json()
    expect((await answer('/v1/accounts/acme')).code).toBe('NOT_FOUND')
    expect(await answer('/v1/accounts/acme?after=0:0')).toMatchObject({ status: 503, code: 'NOT_CAUGHT_UP' })
    await early.api.close()
  })

  describe('with If-None-Match', () => {
    it('answers 304 without a body until something changes', async () => {
      await world.append([signal('acme')])
      const { etag } = (await get('acme')).headers
      expect(etag).toMatch(/^"[\w-]{22}"$/)
      for (const named of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await get('acme', '', { 'if-none-match': String(named) })
        expect([again.status, again.body, again.headers.etag]).toEqual([304, '', etag])
        expect(again.headers['content-type']).toBeUndefined()
      }
      expect((await get('acme', '', { 'if-none-match': '"other"' })).status).toBe(200)
      await world.append([signal('acme', { id: 'later' })])
      const changed = await get('acme', '', { 'if-none-match': String(etag) })
      expect(changed.status).toBe(200)
      expect(changed.headers.etag).not.toBe(etag)
    })

    it('sets no ETag on a problem', async () => {
      const { status, headers } = await get('nobody', '', { 'if-none-match': '*' })
      expect([status, headers.etag]).toEqual([404, undefined])
    })
  })

  describe('with after', () => {
    it('waits until the store holds the record', async () => {
      world.foldsAtOnce = false
      const [{ partition, offset }] = (await world.append([signal('acme')])) as [
        { partition: number; offset: number },
      ]
      let answered = false
      const answer = get('acme', `?after=${partition}:${offset}`).finally(() => {
        answered = true
      })
      await new Promise(resolve => setTimeout(resolve, 60))
      expect(answered).toBe(false)
      await world.foldLog()
      const { status, body } = await answer
      expect([status, body.sequence]).toEqual([200, `${partition}:${offset}`])
    })

    it('reads the partition once for each poll, however many requests wait', async () => {
      world.foldsAtOnce = false
      await world.append([signal('acme')])
      const after = `?after=${world.partitionOf('acme')}:1`
      const readStoredOffset = vi.spyOn(world.store, 'readStoredOffset')
      const answers = Array.from({ length: 50 }, () => get('acme', after))
      await new Promise(resolve => setTimeout(resolve, 110))
      await world.foldLog()
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(new Array(50).fill(200))
      expect(readStoredOffset.mock.calls.length).toBeLessThan(15)
      expect(readStoredOffset.mock.calls.length).toBeGreaterThan(1)
    })

    it('gives up after 5 seconds, and reports the stored offset', async () => {
      await world.append([signal('acme')])
      world.foldsAtOnce = false
      await world.append(Array.from({ length: 6 }, () => signal('acme')))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      const own = world.partitionOf('acme')
      const answer = get('acme', `?after=${own}:7`)
      await vi.advanceTimersByTimeAsync(5100)
      const { status, headers, body } = await answer
      expect([status, headers['retry-after']]).toEqual([503, '1'])
      expect(body).toEqual({
        type: '/problems/not-caught-up',
        title: 'The record is not in the store yet',
        status: 503,
        detail: `The record ${own}:7 was not in the store after 5 s; the store holds the records before ${own}:2. Ask again.`,
        instance: `/v1/accounts/acme?after=${own}:7`,
        requestId: expect.any(String),
        code: 'NOT_CAUGHT_UP',
      })
    })

    it('refuses at once a record that the log does not have', async () => {
      await world.append([signal('acme')])
      const own = world.partitionOf('acme')
      const { status, body } = await get('acme', `?after=${own}:7`)
      expect([status, body.code]).toEqual([400, 'UNKNOWN_SEQUENCE'])
      expect(body.detail).toContain(`after is ${own}:7, but the log ends before ${own}:2.`)
    })

    it('asks where the log ends once for many requests, and waits if the log does not answer', async () => {
      await world.append([signal('acme')])
      const own = world.partitionOf('acme')
      const ends = vi.spyOn(world, 'endOfLog')
      const unknown = await Promise.all(Array.from({ length: 20 }, () => get('acme', `?after=${own}:7`)))
      expect(unknown.map(({ status }) => status)).toEqual(new Array(20).fill(400))
      expect(ends.mock.calls.length).toBeLessThan(20)
      ends.mockRejectedValue(new UpswellError('LOG_UNAVAILABLE', 'away'))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      const answer = get('acme', `?after=${own}:7`)
      await vi.advanceTimersByTimeAsync(5100)
      expect((await answer).body.code).toBe('NOT_CAUGHT_UP')
    })
  })

  describe('reading the store', () => {
    it('takes one round trip once the models are known', async () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      await world.append([signal('acme')])
      await get('acme')
      const partitions = vi.spyOn(world.store, 'partitions')
      const readPartition = vi.spyOn(world.store, 'readPartition')
      const load = vi.spyOn(world.store, 'readAccounts')
      await get('acme')
      expect(partitions).not.toHaveBeenCalled()
      expect(readPartition).not.toHaveBeenCalled()
      expect(load).toHaveBeenCalledTimes(1)
      vi.advanceTimersByTime(1001)
      await get('acme')
      expect(readPartition).toHaveBeenCalledTimes(1)
    })

    it('reads the models again if an account was scored with newer ones', async () => {
      await world.append([signal('acme')])
      expect((await get('acme')).body.standings).toHaveLength(2)
      await world.switchModels([GROWTH], NOW)
      await world.append([signal('acme', { id: 'later' })])
      expect((await get('acme')).body.standings).toHaveLength(1)
    })

    it('answers 503 with Retry-After if the store does not answer', async () => {
      const failure = new UpswellError('STORE_UNAVAILABLE', 'connect ECONNREFUSED 10.0.0.7:6379')
      vi.spyOn(world.store, 'readAccounts').mockRejectedValue(failure)
      const { status, headers, body } = await get('acme')
      expect([status, headers['retry-after']]).toEqual([503, '1'])
      expect(body).toEqual({
        type: '/problems/store-unavailable',
        title: 'The store does not answer',
        status: 503,
        detail: 'The store cannot be read at the moment. Ask again.',
        instance: '/v1/accounts/acme',
        requestId: expect.any(String),
        code: 'STORE_UNAVAILABLE',
      })
    })

    it('answers 500 for an unreadable state, with the reason in the log only', async () => {
      const lines: string[] = []
      const error = (text: string, fields?: object) => lines.push(JSON.stringify([text, fields]))
      const logged = await World.create([GROWTH], { logger: { ...silent, error } })
      await logged.append([signal('acme')])
      vi.spyOn(logged.store, 'readAccounts').mockResolvedValue({
        accounts: [new Uint8Array([99])],
        progress: { position: 99, wholeFrom: 0, fencingToken: 'world' },
      })
      const response = await logged.api.inject('/v1/accounts/acme')
      expect(response.json()).toEqual({
        type: '/problems/internal-error',
        title: 'An error in the service',
        status: 500,
        detail: 'The reason is in the log of the service.',
        instance: '/v1/accounts/acme',
        requestId: expect.any(String),
        code: 'INTERNAL_ERROR',
      })
      expect(lines.join('')).toContain('version 99')
      await logged.api.close()
    })
  })
})

describe('GET /v1/accounts/{id}, with unusual ids and sequences', () => {
  let world: World

  beforeAll(async () => {
    world = await World.create([FIT])
  })

  afterAll(async () => {
    await world.api.close()
  })

  async function get(accountId: string, query = '') {
    const response = await world.api.inject(`/v1/accounts/${encodeURIComponent(accountId)}${query}`)
    return { status: response.statusCode, body: response.json() }
  }

  it.each([
    ['a slash', 'a/b'],
    ['dots', '...'],
    ['a percent sign', '100%25%'],
    ['a question mark and a hash', 'a?b#c'],
    ['spaces and a plus', ' a + b '],
    ['a colon and a semicolon', 'a:b;c'],
    ['the name of a sub-route', 'x/explanation'],
    ['other scripts', 'Zürich-東京-🚀'],
    ['the maximum of bytes', '€'.repeat(170)],
    ['the maximum of bytes, all escaped', '/'.repeat(512)],
  ])('finds an id with %s', async (_, accountId) => {
    await world.append([signal(accountId)])
    const { status, body } = await get(accountId)
    expect([status, body.accountId]).toEqual([200, accountId])
  })

  it.each([
    ['513 bytes', 'x'.repeat(513)],
    ['more than a path may hold', 'x'.repeat(3000)],
  ])('answers 404 for an id of %s', async (_, accountId) => {
    const { status, body } = await get(accountId)
    expect([status, body.code]).toEqual([404, 'NOT_FOUND'])
  })

  it('refuses a path that is not UTF-8', async () => {
    const response = await world.api.inject('/v1/accounts/%E0%A4')
    expect([response.statusCode, response.headers['content-type'], response.json().code]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
      'INVALID_REQUEST',
    ])
  })

  it.each(['7', '0:', ':0', '0:-1', '1.5:0', '00:1', '0:1x', '0:1234567890123456'])(
    'refuses %s',
    async after => {
      const { status, body } = await get('acme', `?after=${after}`)
      expect([status, body.code, body.errors[0].field]).toEqual([400, 'INVALID_REQUEST', 'after'])
      expect(body.errors[0].accepted).toMatch(/^partition:offset/)
    },
  )

  it('refuses a sequence of another partition', async () => {
    const own = world.partitionOf('acme')
    const other = (own + 1) % 4
    const { status, body } = await get('acme', `?after=${other}:0`)
    expect([status, body.code]).toEqual([400, 'WRONG_PARTITION'])
    expect(body.detail).toContain(`partition ${own}`)
  })
})
