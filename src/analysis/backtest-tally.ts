import type { ModelDefinition, Motion } from '../scoring/definition/model-definition.ts'
import { DAY_MS } from '../signals/time.ts'

/** The months and PQLs of one account that a win can still follow. */
export interface AccountTally {
  months: OpenMonth[]
  pqls: OpenPql[]
}

interface OpenMonth {
  readonly at: number
  readonly tier: number
  followed: boolean
}

interface OpenPql {
  readonly at: number
  readonly trigger: number
  followed: boolean
  followedByMotion: boolean
}

export interface Win {
  /** ms */
  readonly at: number
  /** The account's tier just before the win. */
  readonly tier: number
  readonly inScope: boolean
  /** The win's property `motion`, unchecked. */
  readonly motion: unknown
}

export interface PqlOutcomeCounts {
  opened: number
  judged: number
  followed: number
  preceded: number
  /** The number of preceded wins for each lead in whole days. */
  readonly leads: Map<number, number>
}

export interface BacktestCounts {
  wins: number
  winsOutOfScope: number
  winsWithMotion: number
  monthsBeyondEnd: number
  monthsOutOfScope: number
  /** In the order of the model's tiers. */
  readonly tiers: readonly { months: number; followed: number; wins: number }[]
  readonly all: PqlOutcomeCounts
  /** In the order of the model's triggers. */
  readonly triggers: readonly PqlOutcomeCounts[]
  /** The motions of the model's triggers. `wins`: wins of accounts in scope that name the motion. */
  readonly motions: ReadonlyMap<Motion, PqlOutcomeCounts & { wins: number }>
}

export function createAccountTally(): AccountTally {
  return { months: [], pqls: [] }
}

/**
 * Counts which tiers and PQLs were followed by wins. The calls for one account come in the order of time.
 * Only months and PQLs younger than the horizon are kept: no win can change older ones, so they are counted
 * and dropped.
 */
export class BacktestTally {
  readonly counts: BacktestCounts
  readonly #horizonMs: number
  readonly #motions: readonly Motion[]

  constructor({ tiers, triggers }: Pick<ModelDefinition, 'tiers' | 'triggers'>, horizonMs: number) {
    this.#horizonMs = horizonMs
    this.#motions = triggers.map(({ motion }) => motion)
    this.counts = {
      wins: 0,
      winsOutOfScope: 0,
      winsWithMotion: 0,
      monthsBeyondEnd: 0,
      monthsOutOfScope: 0,
      tiers: tiers.map(() => ({ months: 0, followed: 0, wins: 0 })),
      all: noPqlOutcomes(),
      triggers: triggers.map(noPqlOutcomes),
      motions: new Map(this.#motions.map(motion => [motion, { ...noPqlOutcomes(), wins: 0 }])),
    }
  }

  /** A month began at `at` (ms) with the account in this tier; undefined: out of scope. */
  beginMonth(account: AccountTally, at: number, tier: number | undefined): void {
    this.#settle(account, at)
    if (tier === undefined) this.counts.monthsOutOfScope++
    else account.months.push({ at, tier, followed: false })
  }

  /** A PQL opened for the first time. */
  openPql(account: AccountTally, at: number, trigger: number): void {
    this.#settle(account, at)
    for (const counts of this.#countsOf(trigger)) counts.opened++
    account.pqls.push({ at, trigger, followed: false, followedByMotion: false })
  }

  win(account: AccountTally, { at, tier, inScope, motion }: Win): void {
    // After this, all that is kept is within the horizon before the win.
    this.#settle(account, at)
    this.counts.wins++
    const known = this.#motions.find(each => each === motion)
    if (known !== undefined) this.counts.winsWithMotion++
    for (const month of account.months) month.followed = true
    for (const pql of account.pqls) {
      pql.followed = true
      pql.followedByMotion ||= this.#motions[pql.trigger] === known
    }
    if (!inScope) {
      this.counts.winsOutOfScope++
      return
    }
    this.counts.tiers[tier]!.wins++
    const ofMotion = known === undefined ? undefined : this.counts.motions.get(known)!
    if (ofMotion !== undefined) ofMotion.wins++
    const preceded = new Set<PqlOutcomeCounts>()
    // PQLs are in the order of time. For each kind the lead begins at the first PQL.
    for (const pql of account.pqls) {
      const kinds = [this.counts.all, this.counts.triggers[pql.trigger]!]
      if (known !== undefined && this.#motions[pql.trigger] === known) kinds.push(ofMotion!)
      for (const counts of kinds) {
        if (preceded.has(counts)) continue
        preceded.add(counts)
        counts.preceded++
        const days = Math.floor((at - pql.at) / DAY_MS)
        counts.leads.set(days, (counts.leads.get(days) ?? 0) + 1)
      }
    }
  }

  /**
   * The log ends at `end` (ms). A horizon that reaches beyond it is not judged. Called once for each account.
   */
  close(account: AccountTally, end: number): void {
    // A horizon that ends exactly at the end of the log is judged.
    this.#settle(account, end + 1)
    this.counts.monthsBeyondEnd += account.months.length
    account.months = []
    account.pqls = []
  }

  /** Judges and drops the months and PQLs whose horizon ended before `now`. */
  #settle(account: AccountTally, now: number): void {
    const isOver = ({ at }: { readonly at: number }): boolean => at + this.#horizonMs < now
    let months = 0
    for (; months < account.months.length && isOver(account.months[months]!); months++) {
      const { tier, followed } = account.months[months]!
      const counts = this.counts.tiers[tier]!
      counts.months++
      if (followed) counts.followed++
    }
    if (months > 0) account.months = account.months.slice(months)
    let pqls = 0
    for (; pqls < account.pqls.length && isOver(account.pqls[pqls]!); pqls++) {
      const { trigger, followed, followedByMotion } = account.pqls[pqls]!
      const [all, ofTrigger, ofMotion] = this.#countsOf(trigger)
      for (const counts of [all, ofTrigger, ofMotion]) counts.judged++
      if (followed) for (const counts of [all, ofTrigger]) counts.followed++
      if (followedByMotion) ofMotion.followed++
    }
    if (pqls > 0) account.pqls = account.pqls.slice(pqls)
  }

  #countsOf(
    trigger: number,
  ): [all: PqlOutcomeCounts, ofTrigger: PqlOutcomeCounts, ofMotion: PqlOutcomeCounts] {
    const ofMotion = this.counts.motions.get(this.#motions[trigger]!)!
    return [this.counts.all, this.counts.triggers[trigger]!, ofMotion]
  }
}

function noPqlOutcomes(): PqlOutcomeCounts {
  return { opened: 0, judged: 0, followed: 0, preceded: 0, leads: new Map() }
}
