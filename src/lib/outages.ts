import { describeError, isUpswellError, type UpswellError } from './errors.ts'
import { type LogFields, type Logger, type Outages, withFields } from './logger.ts'

/** An outage that goes on has a line this often. */
const REMIND_AFTER_MS = 600_000
/** An outage that begins so soon after the last one of its kind is said only if it lasts. */
const QUIET_MS = 30_000
/** Kinds with a text of their own. Further ones share one. */
const MOST_KINDS = 100

/** Failures with one cause, by any part. It outlives its outage by the time in which it is not said again. */
interface Kind {
  /** What fails, for a person: `the log`. */
  readonly name: string
  readonly level: Level
  readonly failing: Set<string>
  failures: number
  beganAt: number
  /** Whether its beginning was said; if so, its end is too. */
  isSaid: boolean
  saidAt: number
}

/** The outages of a logger; a logger without any gets new ones, for one part alone. */
export function outagesOf(logger: Logger): Outages {
  return logger.outages ?? new HeldOutages(logger)
}

/** The same logger with outages that all its users share. */
export function withOutages(logger: Logger): Logger {
  return { ...withFields(logger, {}), outages: outagesOf(logger) }
}

// One line when a kind of failure begins, one when no part fails in that way any more, and one each 10
// minutes between. Causes tell kinds apart: the log, the store, or an error that only a person can mend.
export class HeldOutages implements Outages {
  readonly #logger: Logger
  readonly #now: () => number
  readonly #kinds = new Map<string, Kind>()
  /** The kind in which each failing part failed last. */
  readonly #parts = new Map<string, Kind>()

  /** @param now ms, of any clock that does not go back */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#now = now
  }

  failed(part: string, thrown: unknown, fields?: LogFields): void {
    const kind = this.#kindOf(part, thrown)
    if (this.#parts.get(part) !== kind) this.works(part)
    if (kind.failing.size === 0) {
      kind.beganAt = this.#now()
      kind.failures = 0
      kind.isSaid = false
    }
    kind.failing.add(part)
    this.#parts.set(part, kind)
    kind.failures++
    this.#report(kind, part, thrown, fields)
  }

  works(part: string): void {
    const kind = this.#parts.get(part)
    if (kind === undefined) return
    this.#parts.delete(part)
    kind.failing.delete(part)
    if (kind.failing.size > 0 || !kind.isSaid || kind.level === 'info') return
    const seconds = ((this.#now() - kind.beganAt) / 1000).toFixed(1)
    this.#logger.info(
      `${kind.name}: the trouble is over after ${seconds} s; ${kind.failures} attempts had failed`,
    )
  }

  #report(kind: Kind, part: string, thrown: unknown, fields: LogFields = {}): void {
    const now = this.#now()
    const reason = describeError(thrown)
    const all = isUpswellError(thrown) ? { ...fields, code: thrown.code } : fields
    if (!kind.isSaid && now - kind.saidAt >= QUIET_MS) {
      this.#logger[kind.level](`${part}: ${reason}; trying again`, all)
    } else if (kind.isSaid && now - kind.saidAt >= REMIND_AFTER_MS) {
      const minutes = Math.round((now - kind.beganAt) / 60_000)
      // Whatever its level was: what repeats for so long is no part of ordinary life.
      this.#logger[kind.level === 'error' ? 'error' : 'warn'](
        `${kind.name} has failed for ${minutes} min: ${kind.failures} attempts failed, the last one: ${part}: ${reason}`,
        all,
      )
    } else {
      this.#logger.debug?.(`${part}: ${reason}; trying again`, all)
      return
    }
    kind.isSaid = true
    kind.saidAt = now
  }

  #kindOf(part: string, thrown: unknown): Kind {
    const level = levelOf(thrown)
    const name = nameOf(thrown) ?? part
    const text = `${level} ${nameOf(thrown) ?? textWithoutNumbers(thrown)}`
    const key = this.#kinds.has(text) || this.#kinds.size < MOST_KINDS ? text : level
    let kind = this.#kinds.get(key)
    if (kind === undefined) {
      const saidAt = Number.NEGATIVE_INFINITY
      kind = { name, level, failing: new Set(), failures: 0, beganAt: 0, isSaid: false, saidAt }
      this.#kinds.set(key, kind)
    }
    return kind
  }
}

type Level = 'info' | 'warn' | 'error'

function levelOf(thrown: unknown): Level {
  if (!isUpswellError(thrown) || thrown.needsPerson) return 'error'
  // Another process took the partition: so a rebalance ends.
  if (thrown.code === 'STORE_FENCED' || thrown.code === 'LOG_FENCED') return 'info'
  return thrown.canRetry || thrown.code === 'STORE_MOVED' ? 'warn' : 'error'
}

const NAMES: Partial<Record<UpswellError['code'], string>> = {
  LOG_UNAVAILABLE: 'the log',
  STORE_UNAVAILABLE: 'the store',
  STORE_MOVED: 'the state of some partitions',
  STORE_FENCED: 'the ownership of some partitions',
  LOG_FENCED: 'the ownership of some partitions',
}

/** Undefined: its text is the only name it has. */
function nameOf(thrown: unknown): string | undefined {
  return isUpswellError(thrown) && !thrown.needsPerson ? NAMES[thrown.code] : undefined
}

/** The same for each partition and offset. */
function textWithoutNumbers(thrown: unknown): string {
  return describeError(thrown).replace(/\d+/g, '#')
}
