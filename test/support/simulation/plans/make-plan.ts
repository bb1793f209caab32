import fc from 'fast-check'
import { createRandom, type Random } from '../../../../src/sample/random.ts'
import type { Signal } from '../../../../src/signals/signal.ts'
import { arbitraryStep, toSignal } from '../../arbitrary/arbitrary-signals.ts'
import { DAY_MS, EPOCH, HOUR_MS } from '../../arbitrary/vocabulary.ts'
import { MODEL_SETS } from '../model-sets.ts'
import {
  type Action,
  type CallFault,
  type CallFaultKind,
  OPERATIONS,
  type Operation,
  type Plan,
  type PlannedCheckpoints,
  type PlannedStep,
  type Poison,
} from '../plan.ts'
import { kindOf, widenPlan } from './make-wide-plans.ts'

const LEAST_SIGNALS = 15
const MOST_SIGNALS = 40

/** The plan of a seed. Some plans have no faults at all, most have a few, some have many. */
export function makePlan(seed: number, faults: 'none' | 'some' = 'some'): Plan {
  const plan = makeRandomPlan(seed, faults)
  const kind = kindOf(seed)
  return kind === undefined ? plan : widenPlan(plan, kind)
}

/** A plan to which no special kind adds anything. */
export function makeRandomPlan(seed: number, faults: 'none' | 'some' = 'some'): Plan {
  const random = createRandom('plan', seed)
  const level = faults === 'none' ? 0 : random.pick([0, 1, 1, 2, 2, 4])
  const startMs = EPOCH + random.integer(0, DAY_MS)
  const checkpoints = makeCheckpoints(createRandom('checkpoints', seed))
  return {
    seed,
    partitions: random.integer(1, 3),
    otherPartitions: random.integer(1, 2),
    workers: random.integer(1, 3),
    batchSize: random.pick([1, 2, 3, 5, 10, 20]),
    startMs,
    models: random.integer(0, MODEL_SETS.length - 1),
    flushIntervalMs: createRandom('flush', seed).pick([0, 20, 100, 250, 1_000, 5_000]),
    checkpoints,
    steps: makeSteps(random, seed, startMs, level, checkpoints !== undefined),
    faults: [
      ...Array.from({ length: random.integer(0, 4 * level) }, () => makeFault(random)),
      ...Array.from({ length: level === 0 ? 0 : random.integer(0, 2) }, () => makeRestoreFault(random)),
    ],
  }
}

/**
 * With the shortest interval, a checkpoint is always under way. With few accounts a batch, it takes many
 * batches.
 */
function makeCheckpoints(random: Random): PlannedCheckpoints | undefined {
  if (random.chance(0.2)) return undefined
  return {
    intervalMs: random.pick([0, 0, 1_000, HOUR_MS, DAY_MS]),
    accountsPerBatch: random.pick([1, 1, 2, 250]),
    emptiesAtRest: random.chance(0.3),
  }
}

// ---- Steps ----

function makeSteps(
  random: Random,
  seed: number,
  startMs: number,
  level: number,
  hasCheckpoints: boolean,
): PlannedStep[] {
  const accounts = random.integer(2, 4)
  const length = random.integer(LEAST_SIGNALS, MOST_SIGNALS)
  const pace = random.pick([HOUR_MS, 12 * HOUR_MS, 5 * DAY_MS])
  const drawn = fc.sample(arbitraryStep(accounts), { seed, numRuns: length })
  /** History, if any, is loaded first. */
  const historyLength = random.chance(0.12) ? random.integer(1, length) : 0
  const steps: PlannedStep[] = []
  const sent: Signal[] = []
  /** Index of a signal → data loss in the store just before it. */
  const losses = new Map<number, Action>()
  // Late enough for checkpoints to exist.
  if (hasCheckpoints && level > 0 && random.chance(0.4))
    losses.set(random.integer(length >> 1, length - 1), makeLoss(random))
  let wallMs = startMs
  const add = (action: Action, leapMs: number): void => {
    const pauseMs = random.pick([0, 0, 1, 5, 30, 200, 1_500])
    wallMs += pauseMs + leapMs
    steps.push({ pauseMs, leapMs, action })
  }
  for (const [i, step] of drawn.entries()) {
    if (historyLength > 0 && i === historyLength && random.chance(0.7)) add({ type: 'live' }, 0)
    const loss = losses.get(i)
    if (loss !== undefined) {
      if (random.chance(0.5)) add(makeTrimming(random, random.pick(['compact', 'compact', 'retention'])), 0)
      add(loss, 0)
    }
    const leapMs = random.chance(0.4) ? Math.floor(random.next() * pace) : 0
    if (step.type === 'tick') {
      add(makeTick(random), leapMs)
    } else {
      const signal = toSignal(step, sent, wallMs + leapMs)
      sent.push(signal)
      const way = i < historyLength ? 'history' : random.chance(0.6) ? 'source' : 'direct'
      add({ type: 'signal', signal, way }, leapMs)
    }
    if (random.chance(0.05)) add(makePoison(random), 0)
    if (random.chance(0.03)) add({ type: 'models', models: random.integer(0, MODEL_SETS.length - 1) }, 0)
    if (!random.chance(0.04 * level)) continue
    const trouble = makeTrouble(random)
    const isLoss = LOSSES.has(trouble.type)
    // New owners have almost nothing in memory. The data for which they ask the store is gone a little later.
    if (isLoss && random.chance(0.5)) {
      add({ type: 'rebalance' }, 0)
      losses.set(i + random.integer(1, 3), trouble)
    } else add(trouble, 0)
    // Checkpoints are then ahead of the refolded records, and new checkpoints are of earlier offsets.
    if (trouble.type === 'move-back' && random.chance(0.4)) add({ type: 'empty' }, 0)
    // Lost data is refolded for a while. That is the time for other models.
    if (isLoss && random.chance(0.2))
      add({ type: 'models', models: random.integer(0, MODEL_SETS.length - 1) }, 0)
  }
  return steps
}

function makeTick(random: Random): Action {
  const aheadMs = random.chance(0.1) ? random.integer(-DAY_MS, DAY_MS) : 0
  const slices = random.pick([1, 1, 2, 4])
  return { type: 'tick', partition: random.integer(0, 2), aheadMs, all: random.chance(0.3), slices }
}

function makePoison(random: Random): Action {
  const how = random.pick<Poison>(['not-json', 'empty', 'wrong-key', 'wrong-partition', 'no-key', 'future'])
  return { type: 'poison', where: random.pick(['source', 'signals']), how }
}

/** Each type as often as its weight. */
const TROUBLES: readonly Action['type'][] = (
  [
    ['rebalance', 5],
    ['crash', 4],
    ['freeze', 3],
    ['roll-back', 4],
    ['empty', 3],
    ['clear', 2],
    ['compact', 3],
    ['retention', 3],
    ['outage', 2],
    ['clock', 2],
    ['models', 1],
    ['move-back', 1],
  ] as const
).flatMap(([type, weight]) => Array<Action['type']>(weight).fill(type))

/** After these, the store has lost data. */
const LOSSES: ReadonlySet<Action['type']> = new Set(['roll-back', 'empty', 'clear'] as const)

function makeTrouble(random: Random): Action {
  const type = random.pick(TROUBLES)
  const worker = random.integer(0, 2)
  switch (type) {
    case 'crash':
      return { type, worker }
    case 'freeze':
      return { type, worker, forMs: random.integer(500, 15_000) }
    case 'roll-back':
      return { type, writes: random.integer(1, 12) }
    case 'empty':
      return { type }
    case 'clear':
      return { type, partition: random.integer(0, 2) }
    case 'compact':
    case 'retention':
      return makeTrimming(random, type)
    case 'outage':
      return { type, of: random.pick(['log', 'store']), forMs: random.integer(100, 6_000) }
    case 'clock':
      return { type, worker, byMs: random.pick([-DAY_MS, -HOUR_MS, HOUR_MS, DAY_MS]) }
    case 'models':
      return { type, models: random.integer(0, MODEL_SETS.length - 1) }
    case 'move-back':
      return { type, records: random.integer(1, 20) }
    default:
      return { type: 'rebalance' }
  }
}

function makeLoss(random: Random): Action {
  return random.pick<Action>([
    { type: 'empty' },
    { type: 'empty' },
    { type: 'clear', partition: random.integer(0, 2) },
    { type: 'roll-back', writes: random.integer(5, 60) },
  ])
}

function makeTrimming(random: Random, type: 'compact' | 'retention'): Action {
  return { type, partition: random.integer(0, 2), share: random.pick([1, random.next()]) }
}

// ---- Faults of calls ----

/** Frequent calls, and about how many of each a run makes. */
const USUAL_CALLS: Readonly<Partial<Record<Operation, number>>> = {
  'log.fetch': 60,
  'log.produce': 40,
  'log.offsets': 60,
  'log.end': 60,
  'log.append': 40,
  'log.init': 20,
  'log.offset': 20,
  'store.fence': 8,
  'store.load': 15,
  'store.save': 30,
  'store.fill': 4,
  'store.clear': 4,
  'store.due': 30,
  'store.readStoredOffset': 30,
  'store.readPartitionCounters': 8,
  'log.ranges': 12,
  'log.read': 20,
  'store.readPartition': 20,
  'store.countDue': 30,
}
const KINDS: readonly CallFaultKind[] = [
  'crash-before',
  'crash-after',
  'lost',
  'unclear',
  'late',
  'twice',
  'slow',
  'freeze',
]
/** Failures between two of these steps matter most. */
const COMMIT_CYCLE: readonly Operation[] = [
  'log.produce',
  'log.offsets',
  'log.end',
  'log.end',
  'store.save',
  'store.save',
  'store.save',
]

/** The calls that restore a partition from a checkpoint. */
const RESTORE: readonly Operation[] = ['store.clear', 'store.clear', 'store.fill', 'store.fill', 'log.read']

function makeRestoreFault(random: Random): CallFault {
  const on = random.pick(RESTORE)
  return { on, nth: random.integer(1, on === 'log.read' ? 15 : 4), kind: random.pick(KINDS) }
}

function makeFault(random: Random): CallFault {
  const on = random.chance(0.6) ? random.pick(COMMIT_CYCLE) : random.pick(OPERATIONS)
  const nth = random.integer(1, USUAL_CALLS[on] ?? 4)
  return { on, nth, kind: random.pick(KINDS) }
}
