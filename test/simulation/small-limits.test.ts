import { expect, test, vi } from 'vitest'
import { makeRandomPlan } from '../support/simulation/plans/make-plan.ts'
import { widenPlan } from '../support/simulation/plans/make-wide-plans.ts'
import { runPlan } from '../support/simulation/run-plan.ts'
import { CORRECT } from '../support/simulation/wiring.ts'

// Every account has many ids and reaches its limits, while histories are loaded and the models change.
vi.mock('../../src/scoring/activity/id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock('../support/slow/slow-id-limits.ts', () => import('../support/small-id-limits.ts'))
vi.mock(import('../../src/scoring/activity/activity.ts'), async importOriginal => {
  const original = await importOriginal()
  const { SMALL_LIMITS } = await import('../support/small-limits.ts')
  const small = { ...original.LIMITS, ...SMALL_LIMITS }
  return { ...original, LIMITS: small as unknown as typeof original.LIMITS }
})
vi.mock(import('../support/slow/slow-limits.ts'), async importOriginal => {
  const { SLOW_SMALL_LIMITS } = await import('../support/small-limits.ts')
  return { ...(await importOriginal()), SLOW_LIMITS: SLOW_SMALL_LIMITS }
})

const SEEDS = 80

test(`the simulation gives the right results for ${SEEDS} seeds of histories with small limits`, async () => {
  let slow = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problems, comparedWithSlow } = await runPlan(widenPlan(makeRandomPlan(seed), 'history'), CORRECT)
    expect(problems, `seed ${seed}`).toEqual([])
    slow += comparedWithSlow
  }
  // Histories are compared with the slow evaluator too.
  expect(slow).toBeGreaterThan(SEEDS / 4)
}, 300_000)
