import { describe, expect, test } from 'vitest'
import { makePlan } from './make-plan.ts'
import { runPlan } from './run-plan.ts'
import { CORRECT, type Wiring } from './wiring.ts'

/** Most are noticed within ten seeds, all so far within 60. */
const SEEDS = 300

async function isNoticed(wiring: Wiring): Promise<boolean> {
  for (let seed = 1; seed <= SEEDS; seed++)
    if ((await runPlan(makePlan(seed), wiring)).wrongs.length > 0) return true
  return false
}

describe('a mistake in how the loop is put together is noticed', () => {
  const mistakes = Object.keys(CORRECT) as (keyof Wiring)[]
  test.each(mistakes)('%s', { timeout: 120_000 }, async mistake => {
    expect(await isNoticed({ ...CORRECT, [mistake]: true })).toBe(true)
  })
})
