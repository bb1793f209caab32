import { setTimeout as sleep } from 'node:timers/promises'
import { createPartitionMemory } from '../../scoring/partition-memory.ts'
import type { AccountParity } from './account-parity.ts'
import { readCheckpointState } from './checkpoint-state.ts'
import type { ParitySource } from './parity-source.ts'
import { type CheckPlan, whatIsMissing } from './plan-check.ts'
import { Recomputation } from './recomputation.ts'
import type { PassedOver } from './sample-accounts.ts'

export interface Pace {
  /** After each 10 ms of work, other work gets at least this long, ms. */
  readonly restMs: number
  readonly signal?: AbortSignal
  /** Receives, now and then, how many offsets of the plan are done. */
  readonly onProgress?: (offsets: number) => void
}

const WORK_MS = 10

/**
 * Recomputes the accounts of a plan, and compares each with the store bit for bit. The results are in no
 * particular order.
 * @throws UpswellError LOG_UNAVAILABLE, TOPIC_MISSING; InvalidModelError; an AbortError when the signal fires
 */
export async function checkAccounts(
  source: ParitySource,
  plan: CheckPlan,
  pace: Pace,
): Promise<AccountParity[]> {
  if (plan.accounts.length === 0) return plan.passedOver.map(unknown)
  const { log, library, topics } = source
  const ids = plan.accounts.map(({ accountId }) => accountId)
  const start =
    plan.checkpoint === undefined
      ? { memory: createPartitionMemory(), accounts: new Map(), passedOver: [] }
      : await readCheckpointState(log, library, plan.checkpoint, ids)
  const passedOver = [...plan.passedOver, ...start.passedOver].map(unknown)
  const left = plan.accounts.filter(
    ({ accountId }) => !start.passedOver.some(other => other.accountId === accountId),
  )
  const partitions = await log.partitions(topics.signals)
  const recomputation = new Recomputation({ library, partitions }, start, left)
  await takeAll(source, plan, recomputation, pace)
  const compared = recomputation.finish()
  // Retention may have deleted records before they were read; then nothing is known.
  const missing = compared.some(({ outcome }) => outcome === 'different')
    ? await whatIsMissing(log, topics.signals, plan)
    : undefined
  if (missing === undefined) return [...passedOver, ...compared]
  return [...passedOver, ...compared.map(({ accountId }) => unknown({ accountId, reason: missing }))]
}

async function takeAll(
  { log, topics }: ParitySource,
  { partition, from, to }: CheckPlan,
  recomputation: Recomputation,
  { restMs, signal, onProgress }: Pace,
): Promise<void> {
  let turnBegan = performance.now()
  for await (const record of log.read(topics.signals, [{ partition, from, to }])) {
    signal?.throwIfAborted()
    recomputation.take(record)
    if (performance.now() - turnBegan < WORK_MS) continue
    onProgress?.(record.offset + 1 - from)
    await sleep(restMs, undefined, signal === undefined ? {} : { signal })
    turnBegan = performance.now()
  }
  onProgress?.(to - from)
}

function unknown(passedOver: PassedOver): AccountParity {
  return { outcome: 'unknown', ...passedOver }
}
