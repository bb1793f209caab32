import { expect, test, vi } from 'vitest'
import { hash64 } from '../../../src/lib/hash.ts'
import { ID_CHUNK_NAMES, idChunkName } from '../../../src/scoring/activity/many-ids.ts'
import { at, model, models, signal } from '../../support/small-histories.ts'
import { PARTITION, ParityWorld } from './parity-world.ts'

// Accounts have two id chunks after three signals.
vi.mock('../../../src/scoring/activity/id-limits.ts', () => import('../../support/small-id-limits.ts'))

function idsOf(chunk: string, count: number, prefix: string): string[] {
  const ids: string[] = []
  for (let i = 0; ids.length < count; i++)
    if (idChunkName(hash64(`${prefix}${i}`)) === chunk) ids.push(`${prefix}${i}`)
  return ids
}

test('an id chunk that an account lost between two checkpoints is not recomputed from the earlier one', async () => {
  const world = new ParityWorld({ checkpointing: true })
  const score = async (day: number, ids: readonly string[]): Promise<void> => {
    world.append(ids.map(id => signal(at(day), { id })))
    await world.score()
    // A batch later the checkpoint is complete.
    world.append([signal(at(day), { accountId: 'other' })])
    await world.score()
  }
  const [first, second] = ID_CHUNK_NAMES as [string, string]
  const chunks = () =>
    world.store.loadUserChunks(
      PARTITION,
      [first, second].map(chunk => ({ accountId: 'acme', chunk })),
    )
  world.append([models(at(0), model())])
  await score(0, [...idsOf(first, 3, 'a'), ...idsOf(second, 3, 'a')])
  expect(await chunks()).toEqual([expect.anything(), expect.anything()])
  await score(5, idsOf(second, 4, 'b'))
  expect(await chunks()).toEqual([undefined, expect.anything()])
  const keys = world.checkpoints.map(({ key }) => String(key))
  expect(keys).toContain(`users:${first}:acme`)
  expect(keys.filter(key => key === 'account:acme').length).toBeGreaterThan(1)
  expect((await world.check()).map(({ accountId, outcome }) => [accountId, outcome])).toEqual([
    ['acme', 'equal'],
    ['other', 'equal'],
  ])
})
