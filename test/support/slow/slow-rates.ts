import type {
  RateDefinition,
  SegmentDefinition,
} from '../../../src/scoring/definition/population-definition.ts'
import { momentOf, type SlowAccount } from './slow-account.ts'
import { latestFact } from './slow-facts.ts'
import { isSelected } from './slow-features.ts'
import { dayOf, HELD_DAYS } from './slow-numbers.ts'

/** Rates over the population, from a scan of all raw signals of all accounts. */

export interface SlowRate {
  readonly accounts: number
  readonly exhibiting: number
  /** In percent, not rounded. Undefined: there are no accounts. */
  readonly rate: number | undefined
}

/** The earliest first day of a period: every account still holds all days from there on. */
export function earliestFrom(accounts: Iterable<SlowAccount>): number {
  return Math.max(...[...accounts].map(({ clock }) => dayOf(clock) - HELD_DAYS + 1))
}

/**
 * A rate of the UTC days `from … to`, as of each account's clock. `segments` keeps only the accounts with
 * these values: `{ stage: 'trial' }`, also `other` and `unknown`. @throws Error if a rate cannot be asked for
 * this period.
 */
export function slowRate(
  accounts: Iterable<SlowAccount>,
  modelId: string,
  rate: RateDefinition,
  from: number,
  to: number,
  segments: Readonly<Record<string, string>> = {},
): SlowRate {
  const all = [...accounts]
  if (to < from || to - from >= HELD_DAYS)
    throw new Error(`The days ${from} to ${to} are no period: give 1 to ${HELD_DAYS} days.`)
  if (from < earliestFrom(all))
    throw new Error(`Not all accounts hold day ${from}: give ${earliestFrom(all)} or later.`)
  const counted = all.filter(
    account =>
      account.firstDay <= to &&
      isInScope(account, modelId) &&
      rate.segments.every(
        segment =>
          !Object.hasOwn(segments, segment.name) || segments[segment.name] === segmentOf(account, segment),
      ),
  )
  const exhibiting = counted.filter(({ applied }) =>
    applied.some(each => each.day >= from && each.day <= to && isSelected(each, rate.select)),
  ).length
  return {
    accounts: counted.length,
    exhibiting,
    rate: counted.length === 0 ? undefined : (100 * exhibiting) / counted.length,
  }
}

/** A rate for each combination of segment values. The key is the values' JSON, in the segments' order. */
export function slowRateBySegment(
  accounts: Iterable<SlowAccount>,
  modelId: string,
  rate: RateDefinition,
  from: number,
  to: number,
): ReadonlyMap<string, SlowRate> {
  const groups = new Map<string, SlowAccount[]>()
  const all = [...accounts]
  for (const account of all) {
    if (!isInScope(account, modelId) || account.firstDay > to) continue
    const key = JSON.stringify(rate.segments.map(segment => segmentOf(account, segment)))
    groups.set(key, [...(groups.get(key) ?? []), account])
  }
  return new Map([...groups].map(([key, of]) => [key, slowRate(of, modelId, rate, from, to)]))
}

function isInScope({ standings }: SlowAccount, modelId: string): boolean {
  return standings.some(standing => standing.modelId === modelId && standing.inScope)
}

function segmentOf(account: SlowAccount, { key, values }: SegmentDefinition): string {
  const value = latestFact(momentOf(account), key)?.value
  if (value === undefined || value === null) return 'unknown'
  return values.includes(String(value)) ? String(value) : 'other'
}
