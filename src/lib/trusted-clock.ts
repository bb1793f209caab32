import type { Logger } from './logger.ts'

export interface ClockSources {
  /** This machine's clock, ms. It may jump. */
  readonly wall: () => number
  /** ms since some moment; it never jumps. It may stop while the machine sleeps. */
  readonly monotonic: () => number
  /** Another machine's clock, ms; undefined: there is none. May reject while it is away. */
  readonly reference: () => Promise<number | undefined>
}

/** Clocks that differ by no more agree. It does no harm: signals may be ten minutes ahead. */
export const CLOCK_TOLERANCE_MS = 60_000
/** Without a reference, a jump that stays for this long is accepted: the machine may have slept. */
const ACCEPTED_AFTER_MS = 5 * 60_000
/** How long time is compared with one earlier moment. Many small jumps add up until then. */
const ANCHORED_FOR_MS = 10 * 60_000

interface Moment {
  readonly time: number
  /** The monotonic clock at that moment, ms. */
  readonly at: number
}

interface Doubt {
  /** How far the wall clock is ahead of the expected time, ms. */
  readonly jumpMs: number
  /** Since when it has been so far ahead, by the monotonic clock. */
  readonly since: number
}

//   wall agrees with        reference agrees with    now() is             doubt
//   what was seen before    anything                 wall                 no; another reference is reported
//   the reference           wall                     wall                 ends: the clock was corrected
//   neither                 what was seen before     what was seen before yes
//   neither                 neither, or is away      what was seen before yes
//   neither, for 5 minutes  there is none            wall                 ends: the machine slept
/**
 * The time that is written into the log. It is the wall clock as long as that agrees with what was seen
 * before and the time passed since, or with a reference. Otherwise it continues from what was seen before.
 */
export class TrustedClock {
  readonly #sources: ClockSources
  readonly #logger: Logger
  #anchor: Moment
  #doubt: Doubt | undefined
  #isCompared = false
  #doesReferenceDiffer = false
  #isReportedAhead = false

  constructor(sources: ClockSources, logger: Logger) {
    this.#sources = sources
    this.#logger = logger
    this.#anchor = { time: sources.wall(), at: sources.monotonic() }
  }

  /** ms */
  readonly now = (): number => {
    const { wall, at, expected } = this.#read()
    const jumpMs = wall - expected
    if (Math.abs(jumpMs) <= CLOCK_TOLERANCE_MS) {
      this.#endDoubt(`agrees again with what was seen before`)
      if (at - this.#anchor.at >= ANCHORED_FOR_MS) this.#anchor = { time: wall, at }
      return wall
    }
    this.#beginDoubt(jumpMs, at)
    return expected
  }

  readonly isInDoubt = (): boolean => {
    this.now()
    return this.#doubt !== undefined
  }

  /** How far this machine's clock is ahead of the trusted time, in ms; 0: it is trusted. */
  aheadMs(): number {
    return this.isInDoubt() ? this.#doubt!.jumpMs : 0
  }

  /** Undefined: the clock is trusted. */
  problem(): string | undefined {
    const aheadMs = this.aheadMs()
    return aheadMs === 0 ? undefined : doubtText(aheadMs, this.now())
  }

  /** Compares with the reference. Call it before the first use, and then at an interval. Does not throw. */
  async check(): Promise<void> {
    let reference: number | undefined
    try {
      reference = await this.#sources.reference()
    } catch {
      return
    }
    if (reference === undefined) this.#acceptLongJump()
    else this.#compare(reference)
  }

  /** A record has this time, ms. Reports once if that is later than ingest and ticks can have written. */
  sawRecord(time: number): void {
    const aheadMs = time - this.now()
    if (this.#isReportedAhead || aheadMs <= FARTHEST_RECORD_MS) return
    this.#isReportedAhead = true
    this.#logger.error(
      `a record in the log has the time ${isoTime(time)}, ${seconds(aheadMs)} ahead of now: either this machine's clock is behind, ` +
        'or the clock of another one was ahead when it wrote the record. See "A clock was wrong" in docs/runbook.md.',
    )
  }

  #read(): { readonly wall: number; readonly at: number; readonly expected: number } {
    const at = this.#sources.monotonic()
    return {
      wall: this.#sources.wall(),
      at,
      expected: Math.round(this.#anchor.time + at - this.#anchor.at),
    }
  }

  #compare(reference: number): void {
    const { wall, at } = this.#read()
    const agrees = Math.abs(wall - reference) <= CLOCK_TOLERANCE_MS
    // At the start nothing was seen before. The earlier time is used: it moves no account into the future.
    if (!this.#isCompared && !agrees && reference < wall) this.#anchor = { time: reference, at }
    this.#isCompared = true
    if (agrees && this.isInDoubt()) {
      this.#anchor = { time: wall, at }
      this.#endDoubt('agrees with the store, and is used')
    }
    this.#reportReference(agrees, reference - wall)
  }

  #reportReference(agrees: boolean, aheadMs: number): void {
    if (!agrees && !this.#doesReferenceDiffer && !this.isInDoubt())
      this.#logger.warn(
        `the store's clock is ${distance(aheadMs)} this machine's; this machine's is used, since it did not jump. Check both.`,
      )
    this.#doesReferenceDiffer = !agrees
  }

  #acceptLongJump(): void {
    if (!this.isInDoubt()) return
    const { wall, at } = this.#read()
    if (at - this.#doubt!.since < ACCEPTED_AFTER_MS) return
    this.#anchor = { time: wall, at }
    this.#endDoubt(`has stayed as it is for ${ACCEPTED_AFTER_MS / 60_000} minutes, and is used`)
  }

  #beginDoubt(jumpMs: number, at: number): void {
    if (this.#doubt === undefined) this.#logger.error(doubtText(jumpMs, this.#read().expected))
    else if (Math.abs(jumpMs - this.#doubt.jumpMs) <= CLOCK_TOLERANCE_MS) return
    this.#doubt = { jumpMs, since: at }
  }

  #endDoubt(why: string): void {
    if (this.#doubt === undefined) return
    this.#doubt = undefined
    this.#logger.info(`this machine's clock ${why}`)
  }
}

/** A signal may be ten minutes ahead of ingest. */
const FARTHEST_RECORD_MS = 15 * 60_000

function doubtText(aheadMs: number, expected: number): string {
  return (
    `this machine's clock is ${distance(aheadMs)} the time seen before; time continues from before (${isoTime(expected)}), ` +
    'and no ticks are written, until the clocks agree. Set the clock of this machine (NTP), or of the store.'
  )
}

/** `30 s ahead of` or `30 s behind` */
function distance(aheadMs: number): string {
  return `${seconds(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`
}

function isoTime(time: number): string {
  return new Date(time).toISOString()
}
