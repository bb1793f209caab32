import { createRandom } from '../../../../src/sample/random.ts'
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

/**
 * A plan that empties the store, and rolls it back while it is filled from a checkpoint. Random plans hardly
 * meet the few milliseconds.
 */
export function makeRolledBackFillPlan(seed: number): Plan {
  const plan = makeRandomPlan(seed, 'none')
  const random = createRandom('rolled-back-fill', seed)
  const losses = Array.from({ length: 6 }, () => [
    after(1_500, { type: 'empty' }),
    after(random.integer(0, 1_100), { type: 'roll-back', writes: random.integer(1, 3) }),
    after(random.integer(1, 30), { type: 'roll-back', writes: 1 }),
  ]).flat()
  return {
    ...plan,
    partitions: 1,
    workers: 1,
    batchSize: 20,
    checkpoints: { intervalMs: 0, accountsPerBatch: 250, emptiesAtRest: false },
    steps: [...plan.steps, ...losses],
  }
}

/**
 * A plan that moves the group back several times, with and without the loss of the store, while scores are
 * published seldom: an account may change and change back between two publications.
 */
export function makeMovedBackPlan(seed: number): Plan {
  const plan = makeRandomPlan(seed, 'none')
  const random = createRandom('moved-back', seed)
  const steps = [...plan.steps]
  for (let i = 0; i < 4; i++) {
    const at = random.integer(steps.length >> 1, steps.length)
    const group = [after(random.integer(0, 1_500), { type: 'move-back', records: random.integer(1, 20) })]
    const isEmptied = random.chance(0.5)
    const isRolledBack = !isEmptied && random.chance(0.5)
    if (isEmptied) group.push(after(0, { type: 'empty' }))
    if (isRolledBack) group.push(after(0, { type: 'roll-back', writes: random.integer(1, 4) }))
    steps.splice(at, 0, ...group)
  }
  return {
    ...plan,
    partitions: 1,
    batchSize: 20,
    flushIntervalMs: 5_000,
    checkpoints: { intervalMs: 0, accountsPerBatch: 250, emptiesAtRest: random.chance(0.5) },
    steps,
  }
}

function after(pauseMs: number, action: Action): PlannedStep {
  return { pauseMs, leapMs: 0, action }
}
