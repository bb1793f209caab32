import type { ModelDefinition, Motion } from '../scoring/definition/model-definition.ts'
import { DAY_MS } from '../signals/time.ts'

/** What may yet be followed by a win of one account. */
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
  /** In which the account stood just before. */
  readonly tier: number
  readonly inScope: boolean
  /** The win's property of this name, whatever it is. */
  readonly motion: unknown
}

export interface PqlOutcomeCounts {
  opened: number
  judged: number
  followed: number
  preceded: number
  /** How many wins were preceded by so many whole days. */
  readonly leads: Map<number, number>
}

export interface BacktestCounts {
  wins: number
  winsOutOfScope: number
  winsWithMotion: number
  monthsBeyondEnd: number
  monthsOutOfScope: number
  /** By the model's tiers. */
  readonly tiers: readonly { months: number; followed: number; wins: number }[]
  readonly all: PqlOutcomeCounts
  /** By the model's triggers. */
  readonly triggers: readonly PqlOutcomeCounts[]
  /** Of the model's triggers; `wins`: those of the motion, of accounts in scope. */
  readonly motions: ReadonlyMap<Motion, PqlOutcomeCounts & { wins: number }>
}

export function createAccountTally(): AccountTally {
  return { months: [], pqls: [] }
}

/**
 * Counts which tiers and PQLs were followed by wins, as they happen, account by account in the order of time. It holds only what is younger than the
 * horizon: the rest is settled, as nothing can change it any more.
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

  /** A month began at `at` (ms) while the account stood in a tier; undefined: out of scope. */
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
    // What is left is within the horizon before the win.
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
    // In the order of time: the first PQL of each kind is the one that the lead is counted from.
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

  /** The log ends at `end` (ms): what reaches beyond it is not judged. Called once an account. */
  close(account: AccountTally, end: number): void {
    // A horizon that ends with the log is within it.
    this.#settle(account, end + 1)
    this.counts.monthsBeyondEnd += account.months.length
    account.months = []
    account.pqls = []
  }

  /** Judges everything whose horizon ended before `now`. */
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

  #countsOf(trigger: number): [all: PqlOutcomeCounts, ofTrigger: PqlOutcomeCounts, ofMotion: PqlOutcomeCounts] {
    const ofMotion = this.counts.motions.get(this.#motions[trigger]!)!
    return [this.counts.all, this.counts.triggers[trigger]!, ofMotion]
  }
}

function noPqlOutcomes(): PqlOutcomeCounts {
  return { opened: 0, judged: 0, followed: 0, preceded: 0, leads: new Map() }
}
