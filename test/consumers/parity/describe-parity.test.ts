import { expect, test } from 'vitest'
import { describeDifferent } from '../../../src/consumers/parity/describe-parity.ts'
import { ID_CHUNK_NAMES } from '../../../src/scoring/activity/many-ids.ts'
import { everyUserChunkName } from '../../../src/scoring/activity/users.ts'

test('a difference names the core, user chunks and id chunks', () => {
  const user = everyUserChunkName(1)[0]!
  const id = ID_CHUNK_NAMES[0]!
  const line = describeDifferent(
    {
      outcome: 'different',
      accountId: 'acme',
      storedOffset: 9,
      storedLastOffset: 8,
      recomputedLastOffset: 8,
      differences: (['core', { chunk: user }, { chunk: id }] as const).map(part => ({
        part,
        stored: new Uint8Array(3),
        recomputed: undefined,
      })),
    },
    0,
  )
  expect(line).toBe(
    `core: 3 bytes, recomputed none; users ${user}: 3 bytes, recomputed none; ids ${id}: 3 bytes, recomputed none; ` +
      'its last record is 8 in both; compared at offset 9, recomputed from offset 0',
  )
})
