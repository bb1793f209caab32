import { roundTo6 } from '../lib/round.ts'
import type { PqlStatus } from '../scoring/events.ts'
import { type AccountDiff, changesTier } from './diff-account.ts'

/** What would change over all accounts under another version of a model. */
export interface DiffSums {
  readonly accounts: number
  /** Accounts in the model's scope. */
  readonly inScope: { readonly before: number; readonly after: number }
  /** Accounts by their tier before and after, also if it stays the same. Empty pairs are left out. */
  readonly tiers: readonly { readonly before: string; readonly after: string; readonly accounts: number }[]
  readonly tierChanges: number
  /** Accounts whose tier changes only when the dwell is over. */
  readonly tierChangesLater: number
  readonly scores: {
    readonly up: number
    readonly down: number
    readonly same: number
    /** Over all accounts, also those with an unchanged score; rounded to 10⁻⁶. */
    readonly meanChange: number
  }
  /** The number of PQL events for each trigger. Triggers without events are left out. */
  readonly pqls: readonly ({ readonly trigger: string } & Readonly<Record<PqlStatus, number>>)[]
  /** The number of alerts that would be sent, sorted by name. */
  readonly alerts: readonly { readonly alert: string; readonly sent: number }[]
}

/** Adds up the diffs of accounts one by one. Its memory does not grow with the number of accounts. */
export class DiffAccumulator {
  #accounts = 0
  readonly #inScope = { before: 0, after: 0 }
  readonly #tiers = new Map<string, { before: string; after: string; accounts: number }>()
  #tierChanges = 0
  #tierChangesLater = 0
  #up = 0
  #down = 0
  #change = 0
  readonly #pqls = new Map<string, { trigger: string } & Record<PqlStatus, number>>()
  readonly #alerts = new Map<string, number>()

  add(diff: AccountDiff): void {
    this.#accounts++
    if (diff.inScope.before) this.#inScope.before++
    if (diff.inScope.after) this.#inScope.after++
    const { before, after } = diff.tier
    const key = JSON.stringify([before, after])
    const cell = this.#tiers.get(key) ?? { before, after, accounts: 0 }
    cell.accounts++
    this.#tiers.set(key, cell)
    if (changesTier(diff)) this.#tierChanges++
    if (diff.tierLater !== null) this.#tierChangesLater++
    const change = diff.score.after - diff.score.before
    if (change > 0) this.#up++
    if (change < 0) this.#down++
    this.#change += change
    for (const { trigger, status } of diff.pqls) {
      const row = this.#pqls.get(trigger) ?? noPqls(trigger)
      row[status]++
      this.#pqls.set(trigger, row)
    }
    for (const alert of diff.alerts) this.#alerts.set(alert, (this.#alerts.get(alert) ?? 0) + 1)
  }

  sums(): DiffSums {
    const [accounts, up, down] = [this.#accounts, this.#up, this.#down]
    const meanChange = accounts === 0 ? 0 : roundTo6(this.#change / accounts)
    return {
      accounts,
      inScope: { ...this.#inScope },
      tiers: Array.from(this.#tiers.values(), cell => ({ ...cell })),
      tierChanges: this.#tierChanges,
      tierChangesLater: this.#tierChangesLater,
      scores: { up, down, same: accounts - up - down, meanChange },
      pqls: Array.from(this.#pqls.values(), row => ({ ...row })).sort((a, b) =>
        a.trigger < b.trigger ? -1 : 1,
      ),
      alerts: Array.from(this.#alerts, ([alert, sent]) => ({ alert, sent })).sort((a, b) =>
        a.alert < b.alert ? -1 : 1,
      ),
    }
  }
}

function noPqls(trigger: string): { trigger: string } & Record<PqlStatus, number> {
  return { trigger, qualified: 0, released: 0, held: 0, disqualified: 0, expired: 0 }
}

/** Keeps only the accounts that change most in memory. */
export class MostChanged {
  readonly #limit: number
  /** Sorted, at most `limit`. */
  readonly #kept: AccountDiff[] = []
  #offered = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Takes an account if its tier (now or after its dwell) or a PQL changes. Other accounts are not counted.
   */
  offer(diff: AccountDiff): void {
    if (rankOf(diff) === 0) return
    this.#offered++
    let [low, high] = [0, this.#kept.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(this.#kept[middle]!, diff) <= 0) low = middle + 1
      else high = middle
    }
    if (low >= this.#limit) return
    this.#kept.splice(low, 0, diff)
    if (this.#kept.length > this.#limit) this.#kept.pop()
  }

  /**
   * First accounts with a tier change, then accounts with a later one, then accounts with PQL events only.
   * Within each kind the greatest change of the score comes first, then the id decides.
   */
  get accounts(): readonly AccountDiff[] {
    return this.#kept
  }

  /** The number of accounts taken, whether they are still kept or not. */
  get count(): number {
    return this.#offered
  }
}

function compare(a: AccountDiff, b: AccountDiff): number {
  const byRank = rankOf(b) - rankOf(a)
  if (byRank !== 0) return byRank
  const byScore = scoreChange(b) - scoreChange(a)
  if (byScore !== 0) return byScore
  return a.accountId < b.accountId ? -1 : a.accountId > b.accountId ? 1 : 0
}

function rankOf(diff: AccountDiff): number {
  if (changesTier(diff)) return 3
  if (diff.tierLater !== null) return 2
  return diff.pqls.length > 0 ? 1 : 0
}

function scoreChange({ score }: AccountDiff): number {
  return Math.abs(score.after - score.before)
}
