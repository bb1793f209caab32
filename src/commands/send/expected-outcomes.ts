import { type Hash64, hash64 } from '../../lib/hash.ts'
import type { SignalOutcome } from '../../scoring/account.ts'
import type { Signal } from '../../signals/signal.ts'
import { DAY_MS, dayOf, HELD_DAYS } from '../../signals/time.ts'

/** An account recognizes a repeated signal by its id for this long, by its own clock. */
const KNOWN_MS = 2 * DAY_MS
/** The most ids that are kept in all. */
const MOST_IDS = 1_000_000

interface AccountInFile {
  clock: number
  /** When each id was applied, oldest first. */
  readonly ids: Map<Hash64, number>
}

/**
 * Counts what becomes of signals when accounts fold them, by the rules of docs/how-a-score-is-defined.md, "A
 * signal". It knows only these signals: an account that had others before may take them otherwise.
 */
export class ExpectedOutcomes {
  readonly #accounts = new Map<string, AccountInFile>()
  readonly #counts: Record<SignalOutcome, number> = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  readonly #mostIds: number
  #ids = 0
  #hasForgotten = false

  constructor(mostIds = MOST_IDS) {
    this.#mostIds = mostIds
  }

  get counts(): Readonly<Record<SignalOutcome, number>> {
    return this.#counts
  }

  /** There were too many ids to keep: more signals may be duplicates. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  /**
   * Takes the next signal, in the order of the log.
   * @param observedAt the time of its record, ms
   * @param isCounted false: it was sent before, and only its effect on later signals counts
   */
  add(signal: Signal, observedAt: number, isCounted = true): void {
    const outcome = this.#outcomeOf(signal, Math.max(observedAt, signal.occurredAt))
    if (isCounted) this.#counts[outcome]++
  }

  #outcomeOf({ id, accountId, occurredAt, idHash }: Signal, time: number): SignalOutcome {
    const account = this.#accounts.get(accountId) ?? this.#begin(accountId)
    account.clock = Math.max(account.clock, time)
    this.#forget(account)
    const hash = idHash ?? hash64(id)
    if (account.ids.has(hash)) return 'duplicate'
    const today = dayOf(account.clock)
    const day = dayOf(occurredAt)
    if (day <= today - HELD_DAYS) return 'too-old'
    if (this.#ids >= this.#mostIds) this.#forgetAll()
    account.ids.set(hash, account.clock)
    this.#ids++
    return day < today ? 'late' : 'applied'
  }

  #begin(accountId: string): AccountInFile {
    const account = { clock: 0, ids: new Map<Hash64, number>() }
    this.#accounts.set(accountId, account)
    return account
  }

  #forget({ clock, ids }: AccountInFile): void {
    for (const [id, appliedAt] of ids) {
      if (appliedAt > clock - KNOWN_MS) return
      ids.delete(id)
      this.#ids--
    }
  }

  #forgetAll(): void {
    for (const { ids } of this.#accounts.values()) ids.clear()
    this.#ids = 0
    this.#hasForgotten = true
  }
}
