import type { Plan } from '../plan.ts'
import { runPlan } from '../run-plan.ts'
import type { Wiring } from '../wiring.ts'

/** The most runs for shrinking a plan. */
const MOST_RUNS = 400

/** Removes faults and steps, many at once at first, as long as the plan still fails. */
export async function shrinkPlan(
  failing: Plan,
  wiring: Wiring,
): Promise<{ readonly plan: Plan; readonly problems: readonly string[] }> {
  let plan = failing
  let { problems } = await runPlan(plan, wiring)
  let runs = 0
  const tries = async (smaller: Plan): Promise<boolean> => {
    runs += 1
    const outcome = await runPlan(smaller, wiring)
    if (outcome.problems.length === 0) return false
    plan = smaller
    problems = outcome.problems
    return true
  }
  for (const part of ['faults', 'steps'] as const) {
    for (let size = Math.ceil(plan[part].length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < plan[part].length && runs < MOST_RUNS; ) {
        const rest = plan[part].toSpliced(from, size) as never
        if (!(await tries({ ...plan, [part]: rest }))) from += size
      }
    }
  }
  return { plan, problems }
}
