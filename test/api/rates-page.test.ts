import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { signal, World } from './world.ts'

const PAGE = readFileSync(join(PACKAGE_ROOT, 'docs/rates-and-key-figures.md'), 'utf8')
const MODELS = ['expansion-intent-signal-rate', 'expansion-opportunity-tracker', 'expansion-revenue-score']

let world: World
beforeAll(async () => {
  world = await World.create(MODELS.map(id => readFileSync(join(PACKAGE_ROOT, `models/${id}.yaml`), 'utf8')))
  await world.append([signal('acme', { id: 'first', kind: 'intent', name: 'upgrade-page.viewed' })])
})
afterAll(async () => {
  await world.api.close()
})

const urls = [...PAGE.matchAll(/curl 'http:\/\/127\.0\.0\.1:8080([^']+)'/g)].map(([, url]) => url!)

it.each(urls)('GET %s is answered', async url => {
  const response = await world.api.inject(url)
  expect(response.statusCode, response.body).toBe(200)
})

it('the page asks for rates and for key figures, and the first rate is as it says', async () => {
  expect(urls.filter(url => url.startsWith('/v1/rates/')).length).toBeGreaterThan(2)
  expect(urls.filter(url => url.startsWith('/v1/kpis')).length).toBeGreaterThan(1)
  const { total } = (await world.api.inject(urls[0]!)).json()
  expect(total).toMatchObject({ accounts: 1, exhibiting: 1, rate: 100 })
})

it('the signal of the page is accepted, and counts', async () => {
  const [, body] = /-d '(\{[\s\S]*?\n\})'/.exec(PAGE)!
  const headers = { 'content-type': 'application/json' }
  const posted = await world.api.inject({ method: 'POST', url: '/v1/signals', headers, payload: body! })
  expect(posted.statusCode, posted.body).toBe(202)
  const sent = JSON.parse(body!)
  await world.append([
    signal('acme', {
      ...sent,
      quantityThousandths: sent.quantity * 1000,
      occurredAt: Date.parse(sent.occurredAt),
    }),
  ])
  const { kpis } = (
    await world.api.inject('/v1/kpis?month=2026-01&by=motion&model=expansion-opportunity-tracker')
  ).json()
  const size = kpis.find(({ name }: { name: string }) => name === 'average-expansion-size')
  expect(size).toMatchObject({ value: 1200, measures: { deals: 1, wonMrr: 1200 } })
})
