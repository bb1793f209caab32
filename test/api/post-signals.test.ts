import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { GROWTH, NOW, World } from './world.ts'

const time = new Date(NOW).toISOString()
const valid = { id: 's1', kind: 'usage', name: 'seat.invited', accountId: 'acme', occurredAt: time }
const parsed = {
  id: 's1',
  kind: 'usage',
  name: 'seat.invited',
  accountId: 'acme',
  userId: undefined,
  quantityThousandths: 1000,
  properties: {},
  occurredAt: NOW,
}

describe('POST /v1/signals', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([GROWTH])
  })

  afterEach(async () => {
    await world.api.close()
  })

  async function post(payload: unknown, contentType = 'application/json') {
    const response = await world.api.inject({
      method: 'POST',
      url: '/v1/signals',
      headers: { 'content-type': contentType },
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    })
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }

  const problem = (code: string, status: number, title: string, detail: string) => ({
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    instance: '/v1/signals',
    code,
  })

  it('appends one signal, and answers its position', async () => {
    const own = world.partitionOf('acme')
    const { status, body } = await post(valid)
    expect(status).toBe(202)
    expect(body).toEqual({ accepted: 1, positions: [{ partition: own, offset: 1, sequence: `${own}:1` }] })
    expect(world.appended).toEqual([{ signals: [parsed], observedAt: NOW }])
    const account = await world.api.inject(`/v1/accounts/acme?after=${body.positions[0].sequence}`)
    expect(account.json()).toMatchObject({ sequence: `${own}:1`, standings: [{ score: 56 }] })
  })

  it('appends several at once, and answers their positions in the same order', async () => {
    const ids = ['acme', 'beta', 'coda', 'acme']
    const signals = ids.map((accountId, i) => ({ ...valid, id: `s${i}`, accountId, quantity: 1.5 }))
    const { status, body } = await post(signals, 'application/json; charset=utf-8')
    expect([status, body.accepted]).toEqual([202, 4])
    const partitions = body.positions.map(({ partition }: { partition: number }) => partition)
    expect(partitions).toEqual(ids.map(id => world.partitionOf(id)))
    expect(world.appended).toHaveLength(1)
    expect(world.appended[0]!.signals.map(({ id }) => id)).toEqual(['s0', 's1', 's2', 's3'])
    expect(world.appended[0]!.signals[0]!.quantityThousandths).toBe(1500)
  })

  it('writes nothing if one signal is not valid, and lists which and why', async () => {
    const signals = [valid, { ...valid, kind: 'usages' }, 7, { ...valid, occurredAt: 'yesterday' }]
    const { status, headers, body } = await post(signals)
    expect([status, headers['content-type']]).toEqual([400, 'application/problem+json; charset=utf-8'])
    expect(body).toEqual({
      ...problem(
        'INVALID_SIGNALS',
        400,
        'The signals are not valid',
        '3 of 4 signals are not valid; see errors. Nothing was written.',
      ),
      errors: [
        {
          index: 1,
          code: 'unknown-kind',
          detail:
            'kind is "usages"; one of usage, intent, traits, health, contract, outcome, override is accepted',
        },
        { index: 2, code: 'not-an-object', detail: 'found 7; a JSON object is accepted' },
        {
          index: 3,
          code: 'invalid-time',
          detail: 'occurredAt is "yesterday"; an RFC 3339 time such as 2026-01-05T10:11:12.345Z is accepted',
        },
      ],
    })
    expect(world.appended).toEqual([])
  })

  it('compares occurredAt with its own clock', async () => {
    const ahead = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString()
    expect((await post({ ...valid, occurredAt: ahead(10) })).status).toBe(202)
    expect((await post({ ...valid, occurredAt: ahead(11) })).body.errors).toMatchObject([
      { code: 'in-the-future' },
    ])
  })

  it.each([
    ['no signal', 0],
    ['501 signals', 501],
  ])('refuses %s', async (_, count) => {
    const { body } = await post(new Array(count).fill(valid))
    const detail = `Found ${count} signals; 1 to 500 are accepted. Nothing was written.`
    expect(body).toEqual(problem('INVALID_SIGNALS', 400, 'The signals are not valid', detail))
  })

  it('accepts 500 signals', async () => {
    const signals = Array.from({ length: 500 }, (_, i) => ({ ...valid, id: `s${i}` }))
    expect((await post(signals)).body.accepted).toBe(500)
  })

  it.each([
    ['is cut short', '{"id":'],
    ['is empty', ''],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses a body that %s', async (_, payload) => {
    const { status, body } = await post(payload)
    expect([status, body.code, body.type]).toEqual([400, 'INVALID_JSON', '/problems/invalid-json'])
    expect(world.appended).toEqual([])
  })

  it('refuses a request without a body', async () => {
    const response = await world.api.inject({ method: 'POST', url: '/v1/signals' })
    expect([response.statusCode, response.json().code]).toEqual([400, 'INVALID_JSON'])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'refuses %s',
    async type => {
      const { status, body } = await post(JSON.stringify(valid), type)
      expect(status).toBe(415)
      expect(body).toEqual(
        problem(
          'UNSUPPORTED_MEDIA_TYPE',
          415,
          'The content type is not accepted',
          'Only the content type application/json is accepted.',
        ),
      )
    },
  )

  it('refuses more than 5 MiB', async () => {
    const { status, body } = await post(JSON.stringify([valid]).padEnd(5 * 1024 * 1024 + 1))
    expect(status).toBe(413)
    expect(body).toEqual(
      problem(
        'BODY_TOO_LARGE',
        413,
        'The body is too large',
        'The body is larger than 5 MiB. Send fewer signals at a time.',
      ),
    )
    expect((await post(JSON.stringify([valid]).padEnd(5 * 1024 * 1024))).status).toBe(202)
  })

  it('refuses a signal that would be too large a record', async () => {
    const { body } = await post([valid, { ...valid, note: 'x'.repeat(1_048_576) }])
    expect(body.errors).toMatchObject([{ index: 1, code: 'too-large' }])
    expect(world.appended).toEqual([])
  })

  it('refuses a signal with a key that poisons objects, and names the signal', async () => {
    const poisoned = `[${JSON.stringify(valid)}, {"id":"s2","__proto__":{"kind":"usage"}}]`
    const { status, body } = await post(poisoned)
    expect([status, body.code]).toEqual([400, 'INVALID_SIGNALS'])
    expect(body.errors).toMatchObject([{ index: 1, code: 'forbidden-key' }])
  })

  it('answers that the outcome is unknown if the log fails', async () => {
    const failing = await World.create([GROWTH], {
      appendSignals: async () => {
        throw new UpswellError('LOG_UNAVAILABLE', 'broker kafka-3.internal:9092 timed out', {
          canRetry: true,
        })
      },
    })
    const response = await failing.api.inject({ method: 'POST', url: '/v1/signals', payload: valid })
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1'])
    expect(response.json()).toEqual(
      problem(
        'LOG_UNAVAILABLE',
        503,
        'The log does not answer',
        'It is unknown whether the signals were written. Send them again with the same ids: a signal with an id that its account has seen in the last 48 hours changes nothing, up to 150,000 signals of an account in that time.',
      ),
    )
    await failing.api.close()
  })

  it('does not show unexpected errors to clients', async () => {
    const failing = await World.create([GROWTH], {
      appendSignals: async () => {
        throw new TypeError('secret at /srv/upswell/src/x.ts:12')
      },
    })
    const response = await failing.api.inject({ method: 'POST', url: '/v1/signals', payload: valid })
    expect(response.json()).toEqual(
      problem('INTERNAL_ERROR', 500, 'An error in the service', 'The reason is in the log of the service.'),
    )
    await failing.api.close()
  })
})
