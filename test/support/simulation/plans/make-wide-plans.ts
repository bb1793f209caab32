import { createRandom, type Random } from '../../../../src/sample/random.ts'
import type { Signal } from '../../../../src/signals/signal.ts'
import { DAY_MS, HOUR_MS, NAMES } from '../../arbitrary/vocabulary.ts'
import type { Action, Plan, PlannedStep } from '../plan.ts'

// Rare kinds of plans. Each adds to a random plan what a random plan does not do. The last two take ten times
// as long as others, so that they are rarer.

export type PlanKind = NonNullable<Plan['kind']>

/** The kind of a seed's plan. Undefined: a random plan as it is. */
export function kindOf(seed: number): PlanKind | undefined {
  const chance = createRandom('kind', seed).next()
  if (chance < 0.03) return 'history'
  if (chance < 0.06) return 'clocks'
  if (chance < 0.062) return 'many-accounts'
  if (chance < 0.0635) return 'retry'
  return undefined
}

export function widenPlan(plan: Plan, kind: PlanKind): Plan {
  const random = createRandom(kind, plan.seed)
  switch (kind) {
    case 'history':
      return { ...plan, kind, steps: insert(random, plan, makeHistories(random, plan)) }
    case 'clocks':
      return { ...plan, kind, steps: insert(random, plan, makeJumps(random)) }
    case 'many-accounts':
      return { ...withLargeBatches(random, plan), kind, partitions: 1, steps: makeManyAccounts(random, plan) }
    case 'retry':
      return { ...withLargeBatches(random, plan), kind, steps: makeRetries(random, plan) }
    default:
      return kind satisfies never
  }
}

/** Puts each group of steps somewhere between the plan's steps. */
function insert(random: Random, { steps }: Plan, groups: readonly (readonly PlannedStep[])[]): PlannedStep[] {
  const inserted = [...steps]
  for (const group of groups) inserted.splice(random.integer(0, inserted.length), 0, ...group)
  return inserted
}

// ---- Histories beside live signals ----

/** Histories of accounts of their own, with live signals between their records. */
function makeHistories(random: Random, plan: Plan): PlannedStep[][] {
  let number = 0
  return Array.from({ length: random.integer(1, 3) }, () => {
    const days = random.integer(3, 200)
    let occurredAt = plan.startMs - days * DAY_MS
    const steps: PlannedStep[] = []
    for (let i = random.integer(1, 8); i > 0; i--) {
      occurredAt = Math.min(plan.startMs, occurredAt + random.integer(0, 20) * DAY_MS)
      const signal = oldSignal(random, number++, occurredAt)
      steps.push(step(random, { type: 'signal', signal, way: 'history' }))
      if (random.chance(0.3)) steps.push(step(random, eventTick(random, occurredAt - plan.startMs)))
    }
    // `upswell send --clock event` ends so.
    if (random.chance(0.8)) steps.push(step(random, eventTick(random, 0)), step(random, { type: 'live' }))
    return steps
  })
}

function oldSignal(random: Random, number: number, occurredAt: number): Signal {
  return {
    id: `old-${number}`,
    kind: 'usage',
    name: random.pick(NAMES),
    accountId: `old-${random.integer(0, 2)}`,
    userId: `u${random.integer(0, 3)}`,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

function eventTick(random: Random, aheadMs: number): Action {
  const slices = random.pick([1, 2])
  return { type: 'tick', partition: random.integer(0, 2), aheadMs, all: false, slices, clock: 'event' }
}

// ---- Clocks that jump far ---

const JUMPS_MS = [-500, -30, -2, 2, 30, 500].map(days => days * DAY_MS)

function makeJumps(random: Random): PlannedStep[][] {
  return Array.from({ length: random.integer(1, 4) }, () => {
    const worker = random.integer(0, 2)
    const jump = step(random, { type: 'clock', worker, byMs: random.pick(JUMPS_MS) })
    return random.chance(0.5) ? [jump] : [jump, { pauseMs: 1_500, leapMs: 0, action: { type: 'rebalance' } }]
  })
}

// ---- Many accounts, large batches and long retries ----

function withLargeBatches(random: Random, plan: Plan): Plan {
  return {
    ...plan,
    batchSize: random.pick([200, 700, 2_000]),
    checkpoints: plan.checkpoints && { ...plan.checkpoints, accountsPerBatch: random.pick([40, 250]) },
  }
}

/** So many accounts that due ticks and models need several slices. Days later most of them are due. */
function makeManyAccounts(random: Random, plan: Plan): PlannedStep[] {
  const accounts = random.integer(255, 300)
  const burst = { first: 0, signals: accounts + random.integer(0, 400), accounts, occurredAt: plan.startMs }
  const steps = [
    { pauseMs: 500, leapMs: 0, action: { type: 'burst', burst } as Action },
    ...plan.steps.slice(0, 12),
  ]
  for (let i = random.integer(1, 2); i > 0; i--) {
    const at = random.integer(1, steps.length)
    const action: Action = random.chance(0.5)
      ? { type: 'models', models: (plan.models + 6 * random.integer(1, 5)) % 60 }
      : { type: 'rebalance' }
    steps.splice(at, 0, { pauseMs: 2_000, leapMs: random.integer(0, 3) * DAY_MS, action })
  }
  return steps
}

/** More than 1,024 signals of one account, which are all sent again within 48 hours. */
function makeRetries(random: Random, plan: Plan): PlannedStep[] {
  const accounts = random.pick([1, 1, 1, 2])
  const burst = {
    first: 0,
    signals: random.integer(1_025, 1_100) * accounts,
    accounts,
    occurredAt: plan.startMs,
  }
  const again: PlannedStep[] = Array.from({ length: random.integer(1, 2) }, () => ({
    pauseMs: random.integer(0, 1_000),
    leapMs: random.integer(0, 10) * HOUR_MS,
    action: { type: 'burst', burst },
  }))
  // Without leaps: a retry that is still on its way could otherwise arrive beyond the 48 hours.
  const others = plan.steps.slice(0, 12).map(each => ({ ...each, leapMs: 0 }))
  return [{ pauseMs: 500, leapMs: 0, action: { type: 'burst', burst } }, ...again, ...others]
}

function step(random: Random, action: Action): PlannedStep {
  return { pauseMs: random.pick([0, 1, 30, 1_200]), leapMs: 0, action }
}
