import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { NOW, signal, World } from './world.ts'

const PAGE = readFileSync(join(PACKAGE_ROOT, 'docs/override-a-score.md'), 'utf8')
const MODEL_ID = 'expansion-revenue-score'
const MODEL = readFileSync(join(PACKAGE_ROOT, `models/${MODEL_ID}.yaml`), 'utf8')

/** The bodies of the page's commands, in their order, with the time that the shell would put in. */
const BODIES = [...PAGE.matchAll(/-d '(\{[\s\S]*?\n\})'/g)].map(([, body]) =>
  body!.replaceAll(/'\$\(date [^)]*\)'/g, new Date(NOW).toISOString()),
)

let world: World
beforeAll(async () => {
  world = await World.create([MODEL])
  await world.append([signal('acme', { id: 'first' })])
})
afterAll(async () => {
  await world.api.close()
})

it('the commands of docs/override-a-score.md do what the page says', async () => {
  const [url] = /(?<=8080)\/v1\/accounts[^']*/.exec(PAGE)!
  const shown: unknown[] = []
  for (const payload of BODIES) {
    const posted = await world.api.inject({
      method: 'POST',
      url: '/v1/signals',
      headers: { 'content-type': 'application/json' },
      payload,
    })
    expect(posted.statusCode, posted.body).toBe(202)
    const { override, score, rulesScore } = (
      await world.api.inject(`${url}&after=${posted.json().positions[0].sequence}`)
    ).json()
    shown.push([override?.name, override?.decides, score === rulesScore])
  }
  expect(shown).toEqual([
    [MODEL_ID, ['score', 'tier'], false],
    // It has one of its own, and does not look at `*`.
    [MODEL_ID, ['score', 'tier'], false],
    [undefined, undefined, true],
  ])
})
