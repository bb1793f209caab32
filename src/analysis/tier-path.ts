import type { TimeWindow } from './run-diff.ts'

/** Numbers the tiers of a model and orders them, from the model's tier changes alone. */
export class TierNames {
  /** The index is the tier's number. */
  readonly names: string[] = []
  readonly #numbers = new Map<string, number>()
  /** The sum and number of the scores that accounts had in the tier. The index is the tier's number. */
  readonly #scores: { sum: number; count: number }[] = []

  /** Notes that an account had this score in the tier, and returns the tier's number. */
  seen(name: string, score: number): number {
    const number = this.numberOf(name)
    const scores = this.#scores[number]!
    scores.sum += score
    scores.count++
    return number
  }

  numberOf(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.names.push(name) - 1
      this.#numbers.set(name, number)
      this.#scores.push({ sum: 0, count: 0 })
    }
    return number
  }

  /** Lowest tier first: in the order of `version` if it has all of them, or else by mean score. */
  ordered(version: readonly string[] | undefined): string[] {
    if (version !== undefined && this.names.every(name => version.includes(name)))
      return version.filter(name => this.#numbers.has(name))
    const mean = (name: string): number => {
      const { sum, count } = this.#scores[this.#numbers.get(name)!]!
      // No account had a score in this tier, so it is the tier in which accounts begin.
      return count === 0 ? Number.NEGATIVE_INFINITY : sum / count
    }
    return [...this.names].sort((a, b) => (mean(a) === mean(b) ? (a < b ? -1 : 1) : mean(a) - mean(b)))
  }
}

/**
 * The tiers of an account over time, under one model and in one run. Only the window matters: an earlier
 * change decides the first tier. Tiers are numbers of `TierNames`.
 */
export interface TierPath {
  /** The tier before the first change in `ats`. */
  first: number
  /** Whether there was a change before the window. */
  isOlder: boolean
  /** The times of the changes within the window, ms, ascending. */
  ats: number[]
  /** The tier after each of these changes. */
  tiers: number[]
}

export interface TierStep {
  readonly at: number
  readonly from: number
  readonly to: number
}

/**
 * Adds the account's next change. From a change at or after the window's end only the tier before it is used.
 */
export function extendPath(path: TierPath | undefined, step: TierStep, { from, to }: TimeWindow): TierPath {
  const extended = path ?? unchangedPath(step.from)
  if (to !== null && step.at >= to) return extended
  if (from !== null && step.at < from) {
    extended.first = step.to
    extended.isOlder = true
  } else {
    extended.ats = withOneMore(extended.ats, step.at)
    extended.tiers = withOneMore(extended.tiers, step.to)
  }
  return extended
}

const SMALL_LENGTH = 16

/**
 * `push` reserves room for 16 more numbers, which most accounts never need. For a million accounts that would
 * take three times the memory.
 */
function withOneMore(list: number[], number: number): number[] {
  if (list.length < SMALL_LENGTH) return list.concat(number)
  list.push(number)
  return list
}

/** The path of an account that never changed its tier. */
export function unchangedPath(tier: number): TierPath {
  return { first: tier, isOlder: false, ats: [], tiers: [] }
}

/** The number of changes in the window if it ends at `end`. */
export function stepsBefore({ ats }: TierPath, end: number): number {
  let steps = ats.length
  while (steps > 0 && ats[steps - 1]! >= end) steps--
  return steps
}

/** The tier just before `end`, and when it was entered, ms; null: before the window. */
export function tierBefore(
  path: TierPath,
  end: number,
): { readonly tier: number; readonly since: number | null } {
  const steps = stepsBefore(path, end)
  return steps === 0
    ? { tier: path.first, since: null }
    : { tier: path.tiers[steps - 1]!, since: path.ats[steps - 1]! }
}

/** A span of time from `start` (included) to `end` (excluded), ms. */
export interface Interval {
  readonly start: number
  readonly end: number
}

/**
 * When the two paths are in different tiers between `start` and `end`, ascending. If several changes have the
 * same time, only the last one counts.
 */
export function intervalsApart(a: TierPath, b: TierPath, start: number, end: number): Interval[] {
  const apart: Interval[] = []
  let [i, j] = [0, 0]
  let [tierA, tierB] = [a.first, b.first]
  let since = tierA === tierB ? undefined : start
  for (;;) {
    const at = Math.min(a.ats[i] ?? end, b.ats[j] ?? end)
    if (at >= end) break
    while (a.ats[i] === at) tierA = a.tiers[i++]!
    while (b.ats[j] === at) tierB = b.tiers[j++]!
    if (tierA !== tierB) since ??= at
    else if (since !== undefined) {
      if (since < at) apart.push({ start: since, end: at })
      since = undefined
    }
  }
  if (since !== undefined && since < end) apart.push({ start: since, end })
  return apart
}
