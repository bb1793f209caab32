import type { Signal } from '../../src/signals/signal.ts'
import { createRandom, type Random } from './random.ts'

const DAY_MS = 86_400_000

/**
 * The shape of the signals: the same as the Kafka Streams job's that we are compared with, but drawn by other
 * code.
 */
export const SIGNAL_STREAM = {
  accounts: 20_000,
  /** An account has 1 to this many. */
  users: 50,
  usageNames: [
    'report.exported',
    'dashboard.viewed',
    'api.called',
    'user.invited',
    'integration.enabled',
    'workflow.created',
    'file.uploaded',
    'search.run',
  ],
  intentNames: ['pricing.viewed', 'limit.reached', 'upgrade.clicked'],
  intentShare: 0.1,
  start: Date.parse('2026-01-05T00:00:00Z'),
  spanMs: 60 * DAY_MS,
  /** A signal may arrive this much later than its turn. */
  disorderMs: 2 * 3_600_000,
  /** A copy repeats one of the `copyWithin` signals before it. */
  copyShare: 0.01,
  copyWithin: 999,
} as const

/** Omitted fields are as in `SIGNAL_STREAM`. */
export interface SignalChoice {
  readonly count: number
  readonly seed: number
  readonly accounts?: number
  /** An account has 1 to this many. */
  readonly users?: number
  /** How the signals spread over the accounts. Default: as one over the rank (Zipf). */
  readonly spread?: 'zipf' | 'even'
  /** From the first signal to the last, which keeps its time: the log accepts no times in the future. */
  readonly days?: number
}

/**
 * Signals of accounts whose popularity falls as one over the rank (Zipf). Times rise, apart from the
 * disorder. `count` includes the copies. Another count gives another stream, not a longer or shorter one: the
 * time between signals depends on it.
 */
export function* benchSignals(choice: SignalChoice): Generator<Signal> {
  const { disorderMs, copyShare, copyWithin } = SIGNAL_STREAM
  const {
    count,
    seed,
    accounts = SIGNAL_STREAM.accounts,
    users = SIGNAL_STREAM.users,
    spread = 'zipf',
  } = choice
  const spanMs = choice.days === undefined ? SIGNAL_STREAM.spanMs : choice.days * DAY_MS
  const start = SIGNAL_STREAM.start + SIGNAL_STREAM.spanMs - spanMs
  const random = createRandom(seed)
  const usersOf = Uint32Array.from({ length: accounts }, () => 1 + random.below(users))
  const ranks = cumulativeZipf(accounts)
  const recent: Signal[] = []
  for (let i = 0; i < count; i++) {
    const slot = i % copyWithin
    if (recent.length > 0 && random.next() < copyShare) {
      // Replaces the oldest signal, so that a copied signal can be copied again.
      recent[slot] = recent[random.below(recent.length)]!
    } else {
      const account = spread === 'even' ? random.below(accounts) : pickRank(ranks, random)
      const occurredAt = start + Math.floor((spanMs * i) / count) - random.below(disorderMs)
      recent[slot] = drawSignal(random, `s-${i}`, account, random.below(usersOf[account]!), occurredAt)
    }
    yield recent[slot]!
  }
}

function drawSignal(random: Random, id: string, account: number, user: number, occurredAt: number): Signal {
  const { intentShare, intentNames, usageNames } = SIGNAL_STREAM
  const isIntent = random.next() < intentShare
  const names = isIntent ? intentNames : usageNames
  const accountId = `account-${account}`
  return {
    id,
    kind: isIntent ? 'intent' : 'usage',
    name: names[random.below(names.length)]!,
    accountId,
    userId: `${accountId}-user-${user}`,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

/** Entry r, from 0, is the sum of 1/1 … 1/(r + 1). */
function cumulativeZipf(ranks: number): Float64Array {
  const sums = new Float64Array(ranks)
  let sum = 0
  for (let rank = 0; rank < ranks; rank++) {
    sum += 1 / (rank + 1)
    sums[rank] = sum
  }
  return sums
}

function pickRank(sums: Float64Array, random: Random): number {
  const drawn = random.next() * sums.at(-1)!
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle]! > drawn) high = middle
    else low = middle + 1
  }
  return low
}
