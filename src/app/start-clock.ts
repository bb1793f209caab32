import { everyInterval } from '../lib/every-interval.ts'
import type { Logger } from '../lib/logger.ts'
import { TrustedClock } from '../lib/trusted-clock.ts'
import { settlesWithin } from '../lib/waiting.ts'
import type { AccountStore } from '../store/store.ts'

/** A jump back is noticed within this time, and a jump that was wrong is waited out. */
const CHECK_INTERVAL_MS = 1_000

export interface StartedClock {
  readonly clock: TrustedClock
  /** Stops comparing it with the store's clock. */
  readonly stop: () => void
}

/**
 * A trusted clock that is compared with the store's clock at an interval. `wall`: this machine's clock, ms.
 */
export async function startClock(
  store: Pick<AccountStore, 'time'>,
  logger: Logger,
  wall: () => number = Date.now,
): Promise<StartedClock> {
  const clock = new TrustedClock(
    { wall, monotonic: () => performance.now(), reference: () => store.time() },
    logger,
  )
  // A store that is away answers later: no role works until it does.
  const first = clock.check()
  const stop = everyInterval(CHECK_INTERVAL_MS, () => void clock.check())
  await settlesWithin(CHECK_INTERVAL_MS, first)
  return { clock, stop }
}
