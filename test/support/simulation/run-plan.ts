import { PartitionCheckpoints } from '../../../src/consumers/checkpoints/partition-checkpoints.ts'
import { check, type Found } from './check.ts'
import { drive } from './drive.ts'
import { MODEL_SETS } from './model-sets.ts'
import type { Plan } from './plan.ts'
import type { Wiring } from './wiring.ts'
import { World } from './world.ts'

export interface Outcome extends Found {
  /** How many events the scheduler ran. */
  readonly steps: number
}

/** Runs without problems have taken up to 5,000. */
const MOST_STEPS = 40_000
/**
 * From the last fault until all is at rest. Up to 11 s were seen: the broker ends an abandoned transaction
 * after 10.
 */
const MOST_CALM_MS = 45_000

/**
 * Runs a plan until everything is sent, then without faults until everything is at rest, and checks the
 * result. Calls `trace` with everything that happens.
 */
export async function runPlan(plan: Plan, wiring: Wiring, trace?: (line: string) => void): Promise<Outcome> {
  const world = new World(plan, MODEL_SETS, wiring, trace)
  const { scheduler } = world
  let calmSinceMs = Number.POSITIVE_INFINITY
  void drive(world, () => {
    world.calmDown()
    calmSinceMs = scheduler.nowMs
  })
  let isToBeEmptied = plan.checkpoints?.emptiesAtRest === true
  const isDone = async (): Promise<boolean> => {
    if ((await world.unrest()) !== undefined) return false
    if (!isToBeEmptied) return true
    isToBeEmptied = false
    world.trace(() => 'at rest; the store loses everything')
    world.store.empty()
    calmSinceMs = scheduler.nowMs
    return false
  }
  const rewire = miswireCheckpoints(wiring)
  const bugs: unknown[] = []
  const onBug = (error: unknown) => bugs.push(error)
  process.on('unhandledRejection', onBug)
  try {
    while (scheduler.steps < MOST_STEPS && bugs.length === 0) {
      if (!(await scheduler.step())) break
      if (scheduler.nowMs - calmSinceMs > MOST_CALM_MS) break
      if (world.isCalm && scheduler.steps % 10 === 0 && (await isDone())) break
    }
  } finally {
    process.off('unhandledRejection', onBug)
    rewire()
  }
  const { steps } = scheduler
  const unrest = world.isCalm ? await world.unrest() : 'not everything was sent'
  if (bugs.length > 0) return { ...NOTHING, steps, problems: [`unhandled: ${(bugs[0] as Error).stack}`] }
  if (unrest !== undefined)
    return {
      ...NOTHING,
      steps,
      problems: [
        ...world.problems,
        `not at rest after ${steps} steps and ${Math.round(scheduler.nowMs)} simulated ms: ${unrest}`,
      ],
    }
  return { ...(await check(world)), steps }
}

/**
 * The loop creates these objects itself, so the mistake is made in all of them. Call the result to undo it.
 */
function miswireCheckpoints({ forgetsOvertaken }: Wiring): () => void {
  if (!forgetsOvertaken) return () => {}
  const { overtaken } = PartitionCheckpoints.prototype
  PartitionCheckpoints.prototype.overtaken = async function (...of) {
    await overtaken.apply(this, of)
    return []
  }
  return () => {
    PartitionCheckpoints.prototype.overtaken = overtaken
  }
}

const NOTHING: Found = {
  problems: [],
  outputs: 0,
  records: 0,
  comparedWithSlow: 0,
  checkpoints: 0,
  restores: 0,
}
