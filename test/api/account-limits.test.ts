import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMIT_MEANINGS } from '../../src/scoring/activity/limit-meanings.ts'
import { DAY_MS, FIT, GROWTH, NOW, signal, World } from './world.ts'

describe('GET /v1/accounts/{id} beyond limits', () => {
  let world: World

  beforeEach(async () => {
    world = await World.create([FIT, GROWTH])
  })
  afterEach(() => world.api.close())

  async function get(accountId: string) {
    return (await world.api.inject({ url: `/v1/accounts/${accountId}` })).json()
  }
  const usage = (name: string) => signal('acme', { id: name, name })

  it('shows neither limits nor unread names if there are none', async () => {
    await world.append([signal('acme')])
    const body = await get('acme')
    expect([body.status, 'limits' in body, 'unread' in body]).toEqual(['SCORED', false, false])
  })

  it('shows each limit that the account reached, and what its count means', async () => {
    await world.append([
      ...Array.from({ length: 300 }, (_, i) => usage(`page.viewed./docs/${i}`)),
      signal('acme', { id: 'old', occurredAt: NOW - 500 * DAY_MS }),
    ])
    expect((await get('acme')).limits).toEqual([
      { limit: 'too-old', count: 1, meaning: LIMIT_MEANINGS['too-old'] },
      { limit: 'names', count: 300 - 256, meaning: LIMIT_MEANINGS.names },
    ])
  })

  it('shows the names that no model reads, with the nearest name that one reads', async () => {
    await world.append([
      signal('acme'),
      usage('seat.invitd'),
      signal('acme', { kind: 'contract', id: 'c', properties: { seats: 3, seat: 3 } }),
      signal('acme', { kind: 'traits', id: 't', properties: { employees: 5 } }),
      signal('acme', {
        kind: 'override',
        id: 'o',
        name: 'growht',
        properties: {
          reason: 'r',
          author: 'a',
          hold: true,
          expiresAt: new Date(NOW + DAY_MS).toISOString(),
        },
      }),
    ])
    expect((await get('acme')).unread).toEqual({
      names: [
        { name: 'usage:seat.invitd', nearest: 'usage:seat.invited' },
        { name: 'contract.seat', nearest: 'contract.seats' },
        { name: 'override:growht', nearest: 'override:growth' },
      ],
      more: 0,
    })
  })

  it('shows at most 50 unread names, and no overflow series', async () => {
    await world.append(Array.from({ length: 300 }, (_, i) => usage(`page.viewed./docs/${i}`)))
    const { unread } = await get('acme')
    expect(unread.names).toHaveLength(50)
    expect(unread.more).toBe(256 - 50)
    expect(JSON.stringify(unread)).not.toContain('*')
  })

  it('shows the unread names of the models that are active now', async () => {
    await world.append([signal('acme')])
    expect((await get('acme')).unread).toBeUndefined()
    await world.switchModels([FIT], NOW)
    await world.append([signal('acme', { id: 'later' })])
    expect((await get('acme')).unread).toEqual({ names: [{ name: 'usage:seat.invited' }], more: 0 })
  })

  it('shows no unread names before any model is active', async () => {
    const early = await World.create([])
    await early.append([signal('acme')])
    const body = (await early.api.inject({ url: '/v1/accounts/acme' })).json()
    expect([body.status, 'unread' in body]).toEqual(['NO_SCORE', false])
    await early.api.close()
  })
})
