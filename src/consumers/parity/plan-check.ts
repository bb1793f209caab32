import type { Log } from '../../log/log.ts'
import { type Checkpoint, findCheckpoint } from '../checkpoints/read-checkpoint.ts'
import type { ParitySource } from './parity-source.ts'
import { pickAccounts } from './pick-accounts.ts'
import { type PassedOver, type SampledAccount, sampleAccounts } from './sample-accounts.ts'

export interface CheckPlan {
  readonly partition: number
  readonly accounts: readonly SampledAccount[]
  /** Accounts that are known not to be comparable. */
  readonly passedOver: readonly PassedOver[]
  /** Undefined: from the beginning of the log. */
  readonly checkpoint: Checkpoint | undefined
  /** The first offset to fold. */
  readonly from: number
  /** Excluded. */
  readonly to: number
}

export interface PlanOptions {
  /** The most accounts to check. */
  readonly count: number
  /** Returns numbers from 0 up to 1, as `Math.random`. */
  readonly random: () => number
  /** `beginning`: fold the whole log, even where there is a checkpoint. */
  readonly from: 'checkpoint' | 'beginning'
}

/**
 * Picks random accounts of a partition, and finds what to recompute them from: the newest checkpoint, or the
 * log from its beginning.
 * @throws UpswellError STORE_UNAVAILABLE, LOG_UNAVAILABLE, TOPIC_MISSING; InvalidModelError
 */
export async function planCheck(
  source: ParitySource,
  partition: number,
  { count, random, from }: PlanOptions,
): Promise<CheckPlan> {
  const { log, store, topics } = source
  // Before the accounts are read: then none of them is older than the checkpoint.
  const found = from === 'checkpoint' ? await newestCheckpoint(source, partition) : undefined
  const ids = await pickAccounts(store, partition, count, random)
  const { accounts, passedOver } = await sampleAccounts(source, partition, ids)
  const storedOffsets = accounts.map(({ storedOffset }) => storedOffset)
  const checkpoint = found !== undefined && found.cut <= Math.min(...storedOffsets) ? found : undefined
  const plan = {
    partition,
    accounts,
    passedOver,
    checkpoint,
    from: checkpoint?.cut ?? 0,
    to: Math.max(0, ...storedOffsets),
  }
  if (accounts.length === 0) return plan
  const problem = await whatIsMissing(log, topics.signals, plan)
  return problem === undefined ? plan : withoutAccounts(plan, problem)
}

/**
 * Why the log does not hold the records of a plan (any more); undefined: it does. @throws UpswellError
 * LOG_UNAVAILABLE, TOPIC_MISSING
 */
export async function whatIsMissing(
  log: Log,
  topic: string,
  { partition, checkpoint, from, to }: Pick<CheckPlan, 'partition' | 'checkpoint' | 'from' | 'to'>,
): Promise<string | undefined> {
  const range = (await log.ranges(topic)).get(partition)
  if (range === undefined) return `${topic} has no partition ${partition}`
  if (range.end < to) return `${topic} ends at offset ${range.end}, and the store holds records up to ${to}`
  if (range.first > from && from < to)
    return `${topic} begins at offset ${range.first}, and ${checkpoint === undefined ? 'there is no checkpoint' : `the newest checkpoint is at offset ${from}`}`
  return undefined
}

function withoutAccounts(plan: CheckPlan, reason: string): CheckPlan {
  const passedOver = [...plan.passedOver, ...plan.accounts.map(({ accountId }) => ({ accountId, reason }))]
  return { ...plan, accounts: [], passedOver, to: plan.from }
}

async function newestCheckpoint(
  { log, topics }: ParitySource,
  partition: number,
): Promise<Checkpoint | undefined> {
  const topic = topics['activity-checkpoints']
  // An installation may write no checkpoints.
  return (await log.topics()).includes(topic) ? await findCheckpoint(log, topic, partition) : undefined
}
