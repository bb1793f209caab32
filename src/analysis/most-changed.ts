import { type AccountDiff, changesTier } from './diff-account.ts'

/** Keeps the accounts that change most, and no others in memory. */
export class MostChanged {
  readonly #limit: number
  /** In order, at most `limit`. */
  readonly #kept: AccountDiff[] = []
  #offered = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Takes an account that changes its tier, now or after its dwell, or a PQL; others are not counted. */
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

  /** Those that change their tier first, then those that will, then by how far the score moves, then by id. */
  get accounts(): readonly AccountDiff[] {
    return this.#kept
  }

  /** How many there are, kept or not. */
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
