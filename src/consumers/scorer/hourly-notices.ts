import type { Logger } from '../../lib/logger.ts'
import type { LimitName } from '../../scoring/activity/activity.ts'
import { LIMIT_MEANINGS } from '../../scoring/activity/limit-meanings.ts'
import { Occurrences } from '../../scoring/occurrences.ts'
import type { StepReport } from './step-report.ts'

/** Lines of the same kind are at least this far apart. */
const INTERVAL_MS = 3_600_000
/** The first line waits, so that it can name more than one signal's names. */
const FIRST_WAIT_MS = 60_000
/** Names come from outside, so only so many are counted one by one. */
const MOST_NAMES = 1_000
const SHOWN_NAMES = 20

/**
 * Writes once an hour which limits accounts reached (a line for each), and which new names of accounts no
 * model reads. Writes nothing if nothing happened.
 */
export class HourlyNotices {
  readonly #logger: Logger
  readonly #now: () => number
  #limits = new Occurrences()
  #unread = new Occurrences(MOST_NAMES)
  #nearest: StepReport['unread']['nearest'] = () => undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  /** When the next lines are due; Infinity: there is nothing to write. */
  #dueAt = Number.POSITIVE_INFINITY

  /** @param now ms, of any clock that does not go back */
  constructor(logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  /** Takes what a step did, and writes lines that are due. Each step calls it, so that no timer is needed. */
  add({ limits, unread, refolded }: StepReport): void {
    if (!refolded && (limits.length > 0 || unread.names.length > 0)) {
      this.#limits.addAll(limits)
      this.#unread.addAll(unread.names)
      this.#nearest = unread.nearest
      if (this.#dueAt === Number.POSITIVE_INFINITY)
        this.#dueAt = Math.max(this.#writtenAt + INTERVAL_MS, this.#now() + FIRST_WAIT_MS)
    }
    if (this.#dueAt !== Number.POSITIVE_INFINITY && this.#now() >= this.#dueAt) this.#write()
  }

  #write(): void {
    for (const { name, count, accountId } of this.#limits.list())
      this.#logger.warn(
        `limit ${name}: reached ${count} times since the last such line, for example by account ${JSON.stringify(accountId)} (${LIMIT_MEANINGS[name as LimitName]}; docs/limits.md)`,
      )
    if (this.#unread.size > 0) this.#logger.info(this.#unreadLine())
    this.#limits = new Occurrences()
    this.#unread = new Occurrences(MOST_NAMES)
    this.#writtenAt = this.#now()
    this.#dueAt = Number.POSITIVE_INFINITY
  }

  #unreadLine(): string {
    const names = this.#unread.list()
    const shown = names.slice(0, SHOWN_NAMES).map(({ name, count }) => {
      const nearest = this.#nearest(name)
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
      return `${JSON.stringify(name)} (${count === 1 ? '1 account' : `${count} accounts`}${hint})`
    })
    const more = names.length - shown.length
    const rest = more === 0 ? '' : `, and ${names.length < MOST_NAMES ? more : `${more} or more`} others`
    return `new names that no model reads: ${shown.join(', ')}${rest}`
  }
}
