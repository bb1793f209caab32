import type { Action, Plan, PlannedStep } from '../plan.ts'
import { makeRandomPlan } from './make-plan.ts'

/**
 * A plan that leaves a checkpoint unfinished whose cut is below the cut of the complete one before it; random
 * plans hardly do this. The group is moved back and the store lost, so that the complete checkpoint is ahead.
 * A crash interrupts the new one, after a batch that passes the complete one's cut.
 */
export function makeUndonePlan(seed: number): Plan {
  const plan = makeRandomPlan(seed, 'none')
  const signals = plan.steps.filter(({ action }) => action.type === 'signal' && action.way !== 'history')
  return {
    ...plan,
    partitions: 1,
    workers: 1,
    batchSize: 20,
    // Each batch writes a part of the checkpoint.
    flushIntervalMs: 0,
    checkpoints: { intervalMs: 0, accountsPerBatch: 1, emptiesAtRest: true },
    steps: [
      ...signals,
      // By then a checkpoint has nearly everything.
      after(15_000, { type: 'move-back', records: 10 }),
      after(0, { type: 'empty' }),
      after(1_200, { type: 'crash', worker: 0 }),
      after(8_000, { type: 'rebalance' }),
    ],
  }
}

/**
 * A plan that empties a partition of the store in part, and moves the group back to the beginning before its
 * owner notices.
 */
export function makeHalfEmptiedPlan(seed: number): Plan {
  const plan = makeRandomPlan(seed, 'none')
  const late = plan.steps.length - 3
  const steps = [
    ...plan.steps.slice(0, late),
    after(1_500, { type: 'clear', partition: 0 }),
    after(0, { type: 'move-back', records: 1_000 }),
    ...plan.steps.slice(late),
  ]
  return { ...plan, checkpoints: undefined, steps }
}

function after(pauseMs: number, action: Action): PlannedStep {
  return { pauseMs, leapMs: 0, action }
}
