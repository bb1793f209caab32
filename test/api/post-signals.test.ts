import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { servedFrom } from '../../src/api/read/served.ts'
import { UpswellError } from '../../src/lib/errors.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { DAY_MS, GROWTH, NOW, POPULATION, World } from './world.ts'

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
    requestId: expect.any(String),
    code,
  })

  it('appends one signal, and answers its position', async () => {
    const own = world.partitionOf('acme')
    const { status, body } = await post(valid)
    expect(status).toBe(202)
    expect(body).toEqual({
      accepted: 1,
      positions: [{ partition: own, offset: 1, sequence: `${own}:1` }],
      notCounted: [],
      allChecked: true,
    })
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

  it('names the accepted fields that unknown ones most likely mean', async () => {
    const { status, body } = await post([valid, { ...valid, quantty: 40, userID: 'u1' }])
    expect(status).toBe(400)
    expect(body.errors).toEqual([
      {
        index: 1,
        code: 'unknown-field',
        detail:
          '"quantty" is not a field of a signal; did you mean "quantity"?; "userID" is not a field of a signal; did you mean "userId"?; id, kind, name, accountId, userId, quantity, properties, occurredAt are accepted, and other details in properties',
      },
    ])
    expect(world.appended).toEqual([])
  })

  it.each([' ', 'acme\n', '\ufeffacme', '.', '..'])('refuses the account %j', async accountId => {
    const { status, body } = await post({ ...valid, accountId })
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ index: 0, code: 'invalid-field' }])
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
    const { body } = await post([valid, { ...valid, properties: { notes: ['x'.repeat(1_048_576)] } }])
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

  it('answers within seconds if the log is silent, and begins no more than eight such appends', async () => {
    let appends = 0
    const silent = await World.create([GROWTH], {
      appendSignals: () => {
        appends++
        return new Promise(() => {})
      },
    })
    // A real connection: only there Node closes the request as soon as its body is read.
    const url = `${await silent.api.listen({ port: 0, host: '127.0.0.1' })}/v1/signals`
    const ask = async () => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(valid) })
      return [response.status, ((await response.json()) as { code: string }).code]
    }
    for (let i = 0; i < 2; i++)
      expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual(
        Array.from({ length: 8 }, () => [503, 'LOG_UNAVAILABLE']),
      )
    expect(appends).toBe(8)
    silent.api.server.closeAllConnections()
    await silent.api.close()
  }, 20_000)

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

  describe('says what will not count', () => {
    const day = (ago: number) => new Date(NOW - ago * DAY_MS).toISOString()
    const facts = (properties: object) => ({ ...valid, kind: 'contract', name: 'contract', properties })

    it.each([
      [
        'a number as team',
        { ...valid, properties: { team: 42 } },
        'unusable-property',
        'properties.team is 42, and counts as no team; a text is accepted',
      ],
      [
        '1970',
        { ...valid, occurredAt: '1970-01-01T00:00:00Z' },
        'too-old',
        'occurredAt is 1970-01-01T00:00:00.000Z; the last 400 days count',
      ],
      [
        '400 days ago',
        { ...valid, occurredAt: day(400) },
        'too-old',
        'occurredAt is 2025-10-18T10:00:00.000Z; the last 400 days count',
      ],
      [
        'a misspelt name',
        { ...valid, name: 'seat.invted' },
        'unread-name',
        'no active model reads usage:seat.invted; did you mean usage:seat.invited?',
      ],
      [
        'another kind',
        { ...valid, kind: 'intent' },
        'unread-name',
        'no active model reads intent:seat.invited; did you mean usage:seat.invited?',
      ],
      [
        'a name that is like none',
        { ...valid, name: 'zzz' },
        'unread-name',
        'no active model reads usage:zzz',
      ],
      [
        'a misspelt key',
        facts({ seets: 4 }),
        'unread-key',
        'no active model reads contract.seets; did you mean contract.seats?',
      ],
      [
        'a text as number',
        facts({ seats: '50' }),
        'wrong-type',
        'contract.seats is "50"; a number is accepted; the feature seats of the model growth reads it',
      ],
      [
        'many unread keys',
        facts({ a: 1, b: 2, c: 3, d: 4, e: 5 }),
        'unread-key',
        'no active model reads contract.a; no active model reads contract.b; no active model reads contract.c; and 2 more',
      ],
    ])('%s', async (_, signal, code, detail) => {
      const { status, body } = await post([valid, { ...signal, id: 's2' }])
      expect(status).toBe(202)
      expect(body).toMatchObject({ accepted: 2, notCounted: [{ index: 1, code, detail }], allChecked: true })
      expect(world.appended[0]!.signals).toHaveLength(2)
    })

    it('of a date in seconds, with the unit that it seems to have', async () => {
      const renewal = GROWTH.replace(
        'seats: { latest: contract.seats }',
        'seats: { latest: contract.seats }\n  daysToRenewal: { daysUntil: { date: contract.renewalDate, from: -30, to: 180 } }',
      )
      const dated = await World.create([renewal])
      const response = await dated.api.inject({
        method: 'POST',
        url: '/v1/signals',
        payload: facts({ renewalDate: 1798761600 }),
      })
      expect(response.json().notCounted).toEqual([
        {
          index: 0,
          code: 'not-a-date',
          detail:
            'contract.renewalDate is 1798761600, which is no date (seconds since 1970?); a text such as 2026-01-05, or whole milliseconds since 1970 (from 1973 to 2149), is accepted; the feature daysToRenewal of the model growth reads it',
        },
      ])
      await dated.api.close()
    })

    it('of an outcome whose amount or motion key figures cannot use', async () => {
      const counting = await World.create([POPULATION])
      const payload = {
        ...valid,
        kind: 'outcome',
        name: 'deal.won',
        properties: { amount: '12', motion: 'seats' },
      }
      const response = await counting.api.inject({ method: 'POST', url: '/v1/signals', payload })
      expect(response.json().notCounted).toMatchObject([
        {
          code: 'wrong-type',
          detail:
            'properties.amount is "12"; a number is accepted; the measure revenue of the model growth adds it up',
        },
        {
          code: 'unusable-property',
          detail: expect.stringMatching(
            /^properties\.motion is "seats", and counts as no motion; one of seat-expansion, /,
          ),
        },
      ])
      await counting.api.close()
    })

    it('of an override with a misspelt decision, but not of its notes', async () => {
      const properties = {
        reason: 'r',
        author: 'a',
        expiresAt: day(-5),
        hold: true,
        scroe: 40,
        ticket: 'CS-12',
      }
      const { body } = await post({ ...valid, kind: 'override', name: 'growht', properties })
      expect(body.notCounted).toEqual([
        { index: 0, code: 'unread-key', detail: 'properties.scroe decides nothing; did you mean score?' },
        {
          index: 0,
          code: 'unread-name',
          detail: 'no active model reads override:growht; did you mean override:growth?',
        },
      ])
    })

    it('of an id that is there twice for one account, in one request', async () => {
      const { body } = await post([valid, { ...valid, accountId: 'beta' }, { ...valid, quantity: 5 }])
      expect(body.notCounted).toEqual([
        {
          index: 2,
          code: 'duplicate',
          detail:
            'the account "acme" got a signal with the id "s1" earlier in this request; an id counts once',
        },
      ])
    })

    it('of an id that its account applied before, and of no first signal', async () => {
      expect((await post(valid)).body.notCounted).toEqual([])
      expect((await post([{ ...valid, id: 's2' }, valid])).body.notCounted).toEqual([
        {
          index: 1,
          code: 'duplicate',
          detail: 'the account "acme" got a signal with the id "s1" in the last 48 hours; an id counts once',
        },
      ])
    })

    it('of an id that an account with many ids applied before', async () => {
      const batch = (first: number) =>
        Array.from({ length: 500 }, (_, i) => ({ ...valid, id: `many-${first + i}` }))
      for (const first of [0, 500, 1000]) expect((await post(batch(first))).body.notCounted).toEqual([])
      const { body } = await post([...batch(1500).slice(0, 2), ...batch(500).slice(0, 3)])
      expect(
        body.notCounted.map(({ index, code }: { index: number; code: string }) => [index, code]),
      ).toEqual([
        [2, 'duplicate'],
        [3, 'duplicate'],
        [4, 'duplicate'],
      ])
    })

    it.each([
      ['47 hours', 47, ['duplicate']],
      ['48 hours', 48, []],
    ])('of an id that was applied %s ago', async (_, hours, codes) => {
      const at = NOW - hours * 3_600_000
      await world.append([{ ...parsed, kind: 'usage', occurredAt: at }], at)
      const { body } = await post(valid)
      expect(body.notCounted.map(({ code }: { code: string }) => code)).toEqual(codes)
    })

    it('only once, if an id that is too old to be kept comes again', async () => {
      const old = { ...valid, occurredAt: day(500) }
      const { body } = await post([old, old, valid])
      expect(body.notCounted).toMatchObject([
        { index: 0, code: 'too-old' },
        { index: 1, code: 'too-old' },
      ])
    })

    it('of nothing that needs models, while none is active', async () => {
      const empty = await World.create([])
      const payload = [valid, { ...valid, id: 's2', name: 'zzz', properties: { role: false } }]
      const response = await empty.api.inject({ method: 'POST', url: '/v1/signals', payload })
      expect(response.json()).toMatchObject({
        allChecked: true,
        notCounted: [{ index: 1, code: 'unusable-property' }],
      })
      await empty.api.close()
    })

    it.each([
      ['does not answer', () => new Promise<never>(() => {})],
      [
        'is away',
        async () => {
          throw new UpswellError('STORE_UNAVAILABLE', 'away', { canRetry: true })
        },
      ],
    ])('as far as it can if the store %s: the signals are in the log all the same', async (_, answer) => {
      const away = Object.assign(new MemoryStore(), { partitions: answer })
      const blind = await World.create([GROWTH], {
        served: servedFrom(
          () => ({ store: away, publishedOffsets: async () => new Map() }),
          new ModelLibrary(),
        ),
      })
      const payload = [valid, valid, { ...valid, id: 's2', name: 'zzz', properties: { role: false } }]
      const response = await blind.api.inject({ method: 'POST', url: '/v1/signals', payload })
      expect(response.statusCode).toBe(202)
      expect(response.json()).toMatchObject({
        accepted: 3,
        allChecked: false,
        notCounted: [
          { index: 1, code: 'duplicate' },
          { index: 2, code: 'unusable-property' },
        ],
      })
      expect(blind.appended).toHaveLength(1)
      await blind.api.close()
    })

    it('with one read of the accounts, before the signals are appended', async () => {
      const steps: string[] = []
      const read = world.store.readAccounts.bind(world.store)
      world.store.readAccounts = async (partition, ids) => {
        steps.push(`read ${ids.join(' ')}`)
        return await read(partition, ids)
      }
      const append = world.append.bind(world)
      world.append = async (...given) => {
        steps.push('append')
        return await append(...given)
      }
      world.foldsAtOnce = false
      await post(['acme', 'acme', 'acme'].map((accountId, i) => ({ ...valid, id: `s${i}`, accountId })))
      expect(steps).toEqual(['read acme', 'append'])
    })

    it('with suggestions for 50 names: each is searched among all names that are read', async () => {
      const misspelt = [0, 1, 2, 3, 4].flatMap(i =>
        [...'bcdfghijklm'].map(letter => `seats`.slice(0, i) + letter + `seats`.slice(i + 1)),
      )
      const { body } = await post(misspelt.map((key, i) => ({ ...facts({ [key]: 1 }), id: `s${i}` })))
      expect(body.notCounted).toHaveLength(55)
      const suggested = body.notCounted.filter(({ detail }: { detail: string }) =>
        detail.includes('did you mean'),
      )
      expect(suggested).toHaveLength(50)
    })
  })
})
