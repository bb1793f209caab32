import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { AccountParity } from '../../../src/consumers/parity/account-parity.ts'
import { arbitraryBatches } from '../../support/histories.ts'
import type { HistoryRecord } from '../../support/slow/slow-evaluator.ts'
import { ParityWorld, type Writing } from './parity-world.ts'

const RUNS = 60
vi.setConfig({ testTimeout: 120_000 })

interface Course {
  readonly batches: readonly (readonly HistoryRecord[])[]
  readonly writings: readonly Required<Writing>[]
  readonly restarts: readonly boolean[]
}

const arbitraryCourse: fc.Arbitrary<Course> = fc.record({
  batches: arbitraryBatches({ accounts: 4, length: 80 }),
  writings: fc.array(
    fc.record({
      clock: fc.constantFrom('wall' as const, 'wall' as const, 'event' as const),
      tickClock: fc.constantFrom('wall' as const, 'event' as const),
    }),
    { minLength: 9, maxLength: 9 },
  ),
  restarts: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
})

async function scored({ batches, writings, restarts }: Course, checkpointing: boolean): Promise<ParityWorld> {
  const world = new ParityWorld({ checkpointing })
  for (const [i, batch] of batches.entries()) {
    world.append(batch, writings[i]!)
    await world.score(restarts[i]!)
  }
  return world
}

/** Account id → outcome. */
function outcomes(checked: readonly AccountParity[]): unknown[] {
  return checked.map(({ accountId, outcome }) => [accountId, outcome])
}

async function allAre(world: ParityWorld, different: readonly string[] = []): Promise<unknown[]> {
  const ids = await world.accountIds()
  return ids.map(id => [id, different.includes(id) ? 'different' : 'equal'])
}

describe('the state that the score loop stores', () => {
  test('equals the state recomputed from the log alone', async () => {
    let accounts = 0
    await fc.assert(
      fc.asyncProperty(arbitraryCourse, async course => {
        const world = await scored(course, false)
        const checked = await world.check()
        expect(outcomes(checked)).toEqual(await allAre(world))
        accounts += checked.length
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
    expect(accounts).toBeGreaterThan(RUNS)
  })

  test('equals the state recomputed from the newest checkpoint and the log after it', async () => {
    let behindCheckpoints = 0
    await fc.assert(
      fc.asyncProperty(arbitraryCourse, async course => {
        const world = await scored(course, true)
        const heads = world.checkpoints.filter(({ key }) => key?.toString() === 'partition')
        if (heads.length > 0) {
          behindCheckpoints++
          const { cut } = JSON.parse(String(heads.at(-1)!.value)) as { cut: number }
          // Records before the cut are not needed.
          world.firstOffset = cut
        }
        expect(outcomes(await world.check())).toEqual(await allAre(world))
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
    expect(behindCheckpoints).toBeGreaterThan(RUNS / 2)
  })

  test('equals the recomputed state of one account whose partition others moved into history and out of it', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCourse, fc.nat(), async (course, seed) => {
        const world = await scored(course, false)
        const random = () => ((seed * 48_271) % 2_147_483_647) / 2_147_483_647
        for (const { outcome } of await world.check({ count: 1, random })) expect(outcome).toBe('equal')
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  })

  test('differs if any byte of a core differs', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryCourse,
        fc.boolean(),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (course, checkpointing, which, where, bits) => {
          const world = await scored(course, checkpointing)
          const ids = await world.accountIds()
          if (ids.length === 0) return
          const id = ids[which % ids.length]!
          const core = await world.coreOf(id)
          core[where % core.length]! ^= bits
          world.store.cores.set(id, core)
          const checked = await world.check()
          expect(outcomes(checked)).toEqual(await allAre(world, [id]))
          expect(checked.find(({ accountId }) => accountId === id)).toMatchObject({
            differences: expect.arrayContaining([expect.objectContaining({ part: 'core' })]),
          })
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    )
  })
})
