import { roundTo6 } from '../lib/round.ts'
import type { ModelDefinition, Motion } from '../scoring/definition/model-definition.ts'
import type { BacktestCounts, PqlOutcomeCounts } from './backtest-tally.ts'

/**
 * How well a model's tiers and PQLs preceded wins. docs/backtest-a-model.md defines every term. Shares are 0
 * to 1, rounded to 10⁻⁶.
 */
export interface BacktestReport {
  readonly accounts: number
  /** Applied signals: no duplicates, not too old. */
  readonly signals: number
  readonly duplicates: number
  readonly tooOld: number
  /** The first and the last moment of the log, ms. Undefined: no signals. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly wins: {
    readonly count: number
    /** Wins of accounts that were out of the model's scope just before. */
    readonly outOfScope: number
    /** Wins that name the motion of one of the model's triggers. */
    readonly withMotion: number
  }
  readonly months: MonthShare & {
    /** Left out because their horizon reaches beyond the end of the log. */
    readonly beyondEnd: number
    /** Left out because the account was out of the model's scope. */
    readonly outOfScope: number
  }
  /** A row for each of the model's tiers, lowest first. */
  readonly tiers: readonly (MonthShare & {
    readonly tier: string
    /** The share divided by the share over all tiers; null if one is missing or the divisor is 0. */
    readonly lift: number | null
    /** Wins of accounts that were in the tier just before. */
    readonly wins: number
  })[]
  readonly pqls: PqlAccuracy
  /** A row for each trigger, in the model's order. */
  readonly triggers: readonly (PqlAccuracy & { readonly trigger: string; readonly motion: Motion })[]
  /** A row for each motion of the triggers, in the model's order. Only wins that name it count. */
  readonly motions: readonly (PqlAccuracy & { readonly motion: Motion; readonly wins: number })[]
}

export interface MonthShare {
  readonly accountMonths: number
  /** How many of these were followed by a win within the horizon. */
  readonly followed: number
  /** followed / accountMonths; null: there are none. */
  readonly share: number | null
}

export interface PqlAccuracy {
  /** PQLs that opened. */
  readonly opened: number
  /** How many of these have a horizon that ends within the log. */
  readonly judged: number
  /** How many of the judged ones were followed by a win within the horizon. */
  readonly followed: number
  /** followed / judged; null: none were judged. */
  readonly precision: number | null
  /** Wins of accounts in scope that one of these PQLs preceded within the horizon. */
  readonly preceded: number
  /** preceded / wins of accounts in scope; null: there are none. */
  readonly recall: number | null
  /** Whole days from the first PQL that preceded a win to the win; null: no win was preceded. */
  readonly leadDays: {
    readonly lowerQuartile: number
    readonly median: number
    readonly upperQuartile: number
  } | null
}

/** The numbers about the log itself. */
export type BacktestNumbers = Pick<
  BacktestReport,
  'accounts' | 'signals' | 'duplicates' | 'tooOld' | 'from' | 'to'
>

export function createBacktestReport(
  { tiers, triggers }: ModelDefinition,
  numbers: BacktestNumbers,
  counts: BacktestCounts,
): BacktestReport {
  const accountMonths = sumOf(counts.tiers.map(tier => tier.months))
  const followed = sumOf(counts.tiers.map(tier => tier.followed))
  const winsInScope = counts.wins - counts.winsOutOfScope
  return {
    ...numbers,
    wins: { count: counts.wins, outOfScope: counts.winsOutOfScope, withMotion: counts.winsWithMotion },
    months: {
      accountMonths,
      followed,
      share: quotient(followed, accountMonths),
      beyondEnd: counts.monthsBeyondEnd,
      outOfScope: counts.monthsOutOfScope,
    },
    tiers: tiers.map(({ name }, i) => {
      const tier = counts.tiers[i]!
      return {
        tier: name,
        accountMonths: tier.months,
        followed: tier.followed,
        share: quotient(tier.followed, tier.months),
        // One division of whole numbers: this rounds once, not three times.
        lift: quotient(tier.followed * accountMonths, tier.months * followed),
        wins: tier.wins,
      }
    }),
    pqls: accuracyOf(counts.all, winsInScope),
    triggers: triggers.map(({ name, motion }, i) => ({
      trigger: name,
      motion,
      ...accuracyOf(counts.triggers[i]!, winsInScope),
    })),
    motions: [...counts.motions].map(([motion, { wins, ...motionCounts }]) => ({
      motion,
      wins,
      ...accuracyOf(motionCounts, wins),
    })),
  }
}

function accuracyOf(
  { opened, judged, followed, preceded, leads }: PqlOutcomeCounts,
  wins: number,
): PqlAccuracy {
  return {
    opened,
    judged,
    followed,
    precision: quotient(followed, judged),
    preceded,
    recall: quotient(preceded, wins),
    leadDays:
      preceded === 0
        ? null
        : {
            lowerQuartile: quantile(leads, preceded, 1),
            median: quantile(leads, preceded, 2),
            upperQuartile: quantile(leads, preceded, 3),
          },
  }
}

/**
 * The smallest number of days that at least `quarters` quarters of the `count` leads do not exceed.
 *
 * @param leads the number of leads for each number of days.
 */
function quantile(leads: ReadonlyMap<number, number>, count: number, quarters: number): number {
  let seen = 0
  for (const days of [...leads.keys()].sort((a, b) => a - b)) {
    seen += leads.get(days)!
    if (seen * 4 >= count * quarters) return days
  }
  throw new Error(`found ${seen} of ${count} lead times`)
}

function quotient(part: number, whole: number): number | null {
  return whole === 0 ? null : roundTo6(part / whole)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}
