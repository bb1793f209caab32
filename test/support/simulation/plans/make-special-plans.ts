import type { Action, Plan, PlannedStep } from '../plan.ts'
import { makePlan } from './make-plan.ts'

/**
 * A plan in which a checkpoint is left undone that is of less than the complete one before it, which random plans hardly come to: the group is
 * moved back and the store lost, so that the complete one is ahead; what was begun then is broken off by a crash, after a batch that goes past the cut of the complete one.
 */
export function makeUndonePlan(seed: number): Plan {
  const plan = makePlan(seed, 'none')
  const signals = plan.steps.filter(({ action }) => action.type === 'signal' && action.way !== 'history')
  return {
    ...plan,
    partitions: 1,
    workers: 1,
    batchSize: 20,
    // A step of the checkpoint with each batch.
    flushIntervalMs: 0,
    checkpoints: { intervalMs: 0, accountsPerBatch: 1, emptiesAtRest: true },
    steps: [
      ...signals,
      // By then there is a checkpoint of nearly everything.
      after(15_000, { type: 'move-back', records: 10 }),
      after(0, { type: 'empty' }),
      after(1_200, { type: 'crash', worker: 0 }),
      after(8_000, { type: 'rebalance' }),
    ],
  }
}

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

function after(pauseMs: number, action: Action): PlannedStep {
  return { pauseMs, leapMs: 0, action }
}
