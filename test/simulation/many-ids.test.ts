import { expect, test, vi } from 'vitest'
import { ManyIds } from '../../src/scoring/activity/many-ids.ts'
import { makePlan } from '../support/simulation/plans/make-plan.ts'
import { runPlan } from '../support/simulation/run-plan.ts'
import { CORRECT } from '../support/simulation/wiring.ts'

// Accounts have id chunks after three signals, and lose ids after four in a chunk.
vi.mock('../../src/scoring/activity/id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock('../support/slow/slow-id-limits.ts', () => import('../support/small-id-limits.ts'))

const SEEDS = 400

test(`the simulation gives the right results for ${SEEDS} seeds with accounts of many ids`, async () => {
  const moved = vi.spyOn(ManyIds.prototype, 'takeAll')
  const left = vi.spyOn(ManyIds.prototype, 'leaveToStore')
  for (let seed = 1; seed <= SEEDS; seed++)
    expect((await runPlan(makePlan(seed), CORRECT)).problems, `seed ${seed}`).toEqual([])
  expect(moved.mock.calls.length).toBeGreaterThan(SEEDS)
  expect(left.mock.calls.length).toBeGreaterThan(SEEDS)
}, 300_000)

test('the simulation notices that ids of accounts with many are forgotten', async () => {
  const has = vi.spyOn(ManyIds.prototype, 'hasSince').mockReturnValue(false)
  let isNoticed = false
  for (let seed = 1; seed <= 100 && !isNoticed; seed++)
    isNoticed = (await runPlan(makePlan(seed), CORRECT)).problems.length > 0
  has.mockRestore()
  expect(isNoticed).toBe(true)
})
