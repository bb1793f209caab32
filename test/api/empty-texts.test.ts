import { afterAll, beforeAll, expect, test } from 'vitest'
import { NOW, POPULATION, signal, World } from './world.ts'

/** POPULATION with a facet. Its rate has the segments stage and region, its key figures a CSM. */
const MODEL = `${POPULATION}
facets: { region: traits.region }
`
let world: World

beforeAll(async () => {
  world = await World.create([MODEL])
  for (const [i, text] of ['', ' \u00a0', '\ufeff'].entries()) {
    const of = { kind: 'traits', name: 'traits' } as const
    const accountId = `account-${i}`
    // Both are known first, so that a blank text also removes a value.
    await world.append([
      signal(accountId, { ...of, id: 'a', properties: { region: 'emea', stage: 'paid', csm: 'kim' } }),
    ])
    await world.append([
      signal(accountId, { ...of, id: 'b', properties: { region: text, stage: text, csm: text } }),
    ])
    await world.append([
      signal(accountId, { id: 'c', kind: 'outcome', name: 'deal.won', properties: { amount: 5 } }),
    ])
  }
})

afterAll(async () => {
  await world.api.close()
})

test('no facet shows a blank text', async () => {
  const { items } = (await world.api.inject('/v1/accounts')).json()
  expect(items.map(({ facets }: { facets: object }) => facets)).toEqual(Array(3).fill({ region: null }))
})

test('no segment of a rate counts a blank text as a value', async () => {
  const day = new Date(NOW).toISOString().slice(0, 10)
  for (const by of ['stage', 'region']) {
    const rate = (await world.api.inject(`/v1/rates/invitation-rate?from=${day}&to=${day}&by=${by}`)).json()
    expect(rate.segments).toMatchObject([{ values: { [by]: 'unknown' }, accounts: 3 }])
  }
})

test('no CSM has a blank name', async () => {
  const { groups } = (await world.api.inject('/v1/kpis?by=csm')).json()
  expect(groups.map(({ csm }: { csm: string | null }) => csm)).toEqual([null])
})
