import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import type { AccountParity } from './account-parity.ts'
import { checkAccounts } from './check-accounts.ts'
import { adviceFor, describeDifferent } from './describe-parity.ts'
import type { ParitySource } from './parity-source.ts'
import { planCheck } from './plan-check.ts'

export interface ParityLoopOptions {
  /** The serving lineage. */
  readonly source: () => Promise<ParitySource>
  readonly logger: Logger
  /** From the end of one check to the start of the next. */
  readonly intervalMs: number
  /** How many accounts one check takes; default `ACCOUNTS_PER_CHECK`. */
  readonly accounts?: number
  /** The partitions of the topic that are assigned to this process now. */
  readonly partitions: (topic: string) => readonly number[]
  /** Returns numbers from 0 up to 1. */
  readonly random: () => number
  /** Called after each check. */
  readonly onChecked: (accounts: readonly AccountParity[]) => void
}

export interface ParityLoop {
  /** Aborts a running check. Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

const ACCOUNTS_PER_CHECK = 20
/** A check takes at most a quarter of the process's time. */
const REST_MS = 30

/**
 * At intervals, recomputes some accounts of a partition, one check at a time. It reports and counts
 * differences, and repairs nothing. A log or store that does not answer is no difference.
 */
export function startParityLoop(options: ParityLoopOptions): ParityLoop {
  const stopping = new AbortController()
  const running = runLoop(options, stopping.signal)
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

async function runLoop(options: ParityLoopOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(options.intervalMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    try {
      await checkSomePartition(options, signal)
    } catch (error) {
      if (signal.aborted) return
      options.logger.warn(`parity: no account was compared with the log: ${describeError(error)}`)
    }
  }
}

async function checkSomePartition(
  {
    logger,
    accounts: count = ACCOUNTS_PER_CHECK,
    partitions,
    random,
    onChecked,
    ...options
  }: ParityLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  const source = await options.source()
  const { signals } = source.topics
  const assigned = partitions(signals)
  const partition = assigned[Math.floor(random() * assigned.length)]
  if (partition === undefined) return
  const plan = await planCheck(source, partition, { count, random, from: 'checkpoint' })
  const accounts = await checkAccounts(source, plan, { restMs: REST_MS, signal })
  for (const account of accounts)
    if (account.outcome === 'different')
      logger.error(
        `${signals} partition ${partition}: account ${JSON.stringify(account.accountId)} in the store is not what the log says: ` +
          `${describeDifferent(account, plan.from)}. ${adviceFor([partition])}`,
        { topic: signals, partition },
      )
  onChecked(accounts)
}
