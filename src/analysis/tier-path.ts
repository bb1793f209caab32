import type { TimeWindow } from './run-diff.ts'

/** What the tier changes of a model tell of its tiers. */
export class TierNames {
  /** By number. */
  readonly names: string[] = []
  readonly #numbers = new Map<string, number>()
  /** By number: of the scores that accounts had in the tier. */
  readonly #scores: { sum: number; count: number }[] = []

  /** The number of a tier in which an account had this score. */
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

  /** Lowest first: in the order of a version that has them all, or else by the mean of the scores in them. */
  ordered(version: readonly string[] | undefined): string[] {
    if (version !== undefined && this.names.every(name => version.includes(name)))
      return version.filter(name => this.#numbers.has(name))
    const mean = (name: string): number => {
      const { sum, count } = this.#scores[this.#numbers.get(name)!]!
      // That no account was seen in, it is the one where they begin.
      return count === 0 ? Number.NEGATIVE_INFINITY : sum / count
    }
    return [...this.names].sort((a, b) => (mean(a) === mean(b) ? (a < b ? -1 : 1) : mean(a) - mean(b)))
  }
}

/**
 * The tiers that an account stood in under one model, in one run, as far as a window needs it: a change before the window counts for its beginning only.
 * Tiers are numbers; what they stand for is the caller's.
 */
export interface TierPath {
  /** Before the first change that is kept. */
  first: number
  /** Whether there was a change before the window. */
  isOlder: boolean
  /** Of the changes within the window, ms, in order. */
  ats: number[]
  /** What each of them led to. */
  tiers: number[]
}

export interface TierStep {
  readonly at: number
  readonly from: number
  readonly to: number
}

/** Takes the account's next change. A change at or after the window's end tells, at most, where the account stood before it. */
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

const FEW = 16

/** Pushing makes room for 16 more, which most accounts never need: a million of them would take three times the memory. */
function withOneMore(list: number[], number: number): number[] {
  if (list.length < FEW) return list.concat(number)
  list.push(number)
  return list
}

/** An account that never changed. */
export function unchangedPath(tier: number): TierPath {
  return { first: tier, isOlder: false, ats: [], tiers: [] }
}

/** How many changes there are in the window, if it ends at `end`. */
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

/** From `start` (included) to `end` (excluded), ms. */
export interface Interval {
  readonly start: number
  readonly end: number
}

/** When the two stood in different tiers, between `start` and `end`, in order. Of changes at the same moment only the last one counts. */
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
