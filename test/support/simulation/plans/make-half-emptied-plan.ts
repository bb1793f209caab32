import type { Happening, Plan, PlannedStep } from '../plan.ts'
import { makePlan } from './make-plan.ts'

/** A plan in which a partition of the store is emptied in part, and the group is moved back to the beginning before its owner has found out. */
export function makeHalfEmptiedPlan(seed: number): Plan {
  const plan = makePlan(seed, 'none')
  const late = plan.steps.length - 3
  const steps = [
    ...plan.steps.slice(0, late),
    after(1_500, { type: 'clear', partition: 0 }),
    after(0, { type: 'move-back', records: 1_000 }),
    ...plan.steps.slice(late),
  ]
  return { ...plan, checkpoints: undefined, steps }
}

function after(pauseMs: number, what: Happening): PlannedStep {
  return { pauseMs, leapMs: 0, what }
}
