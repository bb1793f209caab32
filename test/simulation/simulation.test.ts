import { describe, expect, test } from 'vitest'
import { makePlan, makeRandomPlan } from '../support/simulation/plans/make-plan.ts'
import {
  makeHalfEmptiedPlan,
  makeMovedBackPlan,
  makeRolledBackFillPlan,
  makeUndonePlan,
} from '../support/simulation/plans/make-special-plans.ts'
import { type PlanKind, widenPlan } from '../support/simulation/plans/make-wide-plans.ts'
import { shrinkPlan } from '../support/simulation/plans/shrink-plan.ts'
import { runPlan } from '../support/simulation/run-plan.ts'
import { CORRECT } from '../support/simulation/wiring.ts'

/** `npm run simulate -- --from 1001 --seeds 10000` runs others. */
const SEEDS = 2_000

interface Sums {
  outputs: number
  slow: number
  checkpoints: number
  restores: number
}

/** The first seed that fails. */
async function firstFailure(sums: Sums) {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const plan = makePlan(seed)
    const outcome = await runPlan(plan, CORRECT)
    sums.outputs += outcome.outputs
    sums.slow += outcome.comparedWithSlow
    sums.checkpoints += outcome.checkpoints
    sums.restores += outcome.restores
    if (outcome.problems.length > 0) return { seed, plan, problems: outcome.problems }
  }
  return undefined
}

describe('the score loop, ingest and recovery on a simulated log and store', () => {
  test(`give the right results for ${SEEDS} seeds, whatever goes wrong`, async () => {
    const sums = { outputs: 0, slow: 0, checkpoints: 0, restores: 0 }
    const failure = await firstFailure(sums)
    if (failure !== undefined) {
      const { plan, problems } = await shrinkPlan(failure.plan, CORRECT)
      expect.fail(
        `seed ${failure.seed}: ${failure.problems[0]}\n` +
          `run it again: npm run simulate -- --seed ${failure.seed} --trace\n` +
          `the smallest failing plan found: ${JSON.stringify(plan)}\n${problems[0]}`,
      )
    }
    // Runs without outputs would prove nothing.
    expect(sums.outputs).toBeGreaterThan(10 * SEEDS)
    expect(sums.slow).toBeGreaterThan(SEEDS)
    expect(sums.checkpoints).toBeGreaterThan(SEEDS)
    expect(sums.restores).toBeGreaterThan(SEEDS / 4)
  }, 600_000)

  test("give the right results with an unfinished checkpoint whose cut is below the complete one's", async () => {
    for (let seed = 1; seed <= 30; seed++)
      expect((await runPlan(makeUndonePlan(seed), CORRECT)).problems, `seed ${seed}`).toEqual([])
  }, 60_000)

  test('give the right results when the group is moved back to the beginning of a half-emptied partition', async () => {
    for (let seed = 1; seed <= 20; seed++)
      expect((await runPlan(makeHalfEmptiedPlan(seed), CORRECT)).problems, `seed ${seed}`).toEqual([])
  }, 60_000)

  // Without the numbers of parts, seed 86 lost the models of the partition.
  test('give the right results when the store is rolled back while it is filled', async () => {
    for (let seed = 1; seed <= 100; seed++)
      expect((await runPlan(makeRolledBackFillPlan(seed), CORRECT)).problems, `seed ${seed}`).toEqual([])
  }, 120_000)

  // When all scores before the stored offset counted as right, seeds 38 and 49 ended with old scores.
  test('give the right results when the group is moved back and scores are published seldom', async () => {
    for (let seed = 1; seed <= 100; seed++)
      expect((await runPlan(makeMovedBackPlan(seed), CORRECT)).problems, `seed ${seed}`).toEqual([])
  }, 120_000)

  test.each<[PlanKind, seeds: number]>([
    ['history', 25],
    ['clocks', 25],
    ['many-accounts', 4],
    ['retry', 2],
  ])('give the right results for plans with %s', { timeout: 180_000 }, async (kind, seeds) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const plan = widenPlan(makeRandomPlan(seed), kind)
      expect((await runPlan(plan, CORRECT)).problems, `seed ${seed}`).toEqual([])
    }
  })

  test('do exactly the same in every run of a seed', async () => {
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const lines: string[] = []
        const outcome = await runPlan(makePlan(10), CORRECT, line => lines.push(line))
        return { lines, outcome }
      }),
    )
    expect(runs[0]!.lines.length).toBeGreaterThan(100)
    expect(runs[1]).toEqual(runs[0])
  })
})
