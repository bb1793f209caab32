import { describe, expect, test } from 'vitest'
import { makePlan } from '../support/simulation/plans/make-plan.ts'
import { makeUndonePlan } from '../support/simulation/plans/make-special-plans.ts'
import { runPlan } from '../support/simulation/run-plan.ts'
import { CORRECT, type Wiring } from '../support/simulation/wiring.ts'

/** Most mistakes are noticed within ten seeds, and so far all within 80. */
const SEEDS = 300

async function isNoticed(mistake: keyof Wiring): Promise<boolean> {
  // Thousands of random plans have not caused it.
  const planOf = mistake === 'overlooksUndone' ? makeUndonePlan : makePlan
  for (let seed = 1; seed <= SEEDS; seed++)
    if ((await runPlan(planOf(seed), { ...CORRECT, [mistake]: true })).problems.length > 0) return true
  return false
}

describe('notices a loop that is wired with the mistake', () => {
  test.each(Object.keys(CORRECT) as (keyof Wiring)[])('%s', { timeout: 120_000 }, async mistake => {
    expect(await isNoticed(mistake)).toBe(true)
  })
})
