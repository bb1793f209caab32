import { type Account, advance, createAccount, type ModelSet, receiveSignal } from '../scoring/account.ts'
import { createTouchedBuffer } from '../scoring/activity/apply-signal.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { ScoringEvent } from '../scoring/events.ts'
import { compileNames } from '../scoring/features/selection.ts'
import type { Signal } from '../signals/signal.ts'
import { type BacktestReport, createBacktestReport } from './backtest-report.ts'
import { type AccountTally, BacktestTally, createAccountTally } from './backtest-tally.ts'

export interface BacktestOptions {
  /** Names of the `outcome` signals that are wins: exact names, or prefixes that end in `*`. */
  readonly won: readonly string[]
  /** A win counts for a tier or PQL if it comes at most this long after it, ms. */
  readonly horizonMs: number
}

interface TestedAccount {
  readonly account: Account
  readonly tally: AccountTally
  /** The next beginning of a month to evaluate, ms. */
  nextMonth: number
  /** For each trigger the PQL that opened last. If it is held and released again, that is no new opening. */
  readonly opened: (string | undefined)[]
}

/**
 * Folds a history under a single model, with the scoring code of the service, and counts how well tiers and
 * PQLs preceded wins. It keeps the accounts in memory, but not the history. docs/backtest-a-model.md defines
 * the counts.
 */
export class Backtest {
  readonly #models: ModelSet
  readonly #model: CompiledModel
  readonly #isWon: (name: string) => boolean
  readonly #tally: BacktestTally
  readonly #triggers: ReadonlyMap<string, number>
  readonly #accounts = new Map<string, TestedAccount>()
  readonly #outcomes = { applied: 0, late: 0, duplicate: 0, 'too-old': 0 }
  readonly #buffer = createTouchedBuffer()
  #from: number | undefined
  #to: number | undefined

  constructor(model: CompiledModel, { won, horizonMs }: BacktestOptions) {
    this.#model = model
    this.#models = { offset: 0, at: 0, models: [model] }
    this.#isWon = compileNames(won)
    this.#tally = new BacktestTally(model.definition, horizonMs)
    this.#triggers = new Map(model.definition.triggers.map(({ name }, i) => [name, i]))
  }

  /** Takes the next signal, in the order of the log within its account. `timestamp`: its record's, ms. */
  receive(signal: Signal, timestamp: number): void {
    const observedAt = Math.max(timestamp, signal.occurredAt)
    this.passTime(observedAt)
    this.#from = Math.min(this.#from ?? observedAt, observedAt)
    const known = this.#accounts.get(signal.accountId)
    const tested = known ?? this.#create(signal, observedAt)
    const { account } = tested
    this.#advance(tested, observedAt)
    const { tier, inScope } = account.standings[0]!
    const { outcome, events } = receiveSignal(account, signal, observedAt, known === undefined, this.#buffer)
    this.#outcomes[outcome]++
    const isApplied = outcome === 'applied' || outcome === 'late'
    // Count the win before the events: a PQL that the win itself causes did not precede it.
    if (isApplied && signal.kind === 'outcome' && this.#isWon(signal.name)) {
      const { clock } = account.activity
      this.#tally.win(tested.tally, { at: clock, tier, inScope, motion: signal.properties['motion'] })
    }
    this.#countOpenedPqls(tested, events)
  }

  /** Notes that the log reaches at least up to `time` (ms), from a tick or a signal. */
  passTime(time: number): void {
    this.#to = Math.max(this.#to ?? time, time)
  }

  /**
   * Advances every account to the end of the log and returns the report. Called once, after the last record.
   */
  finish(): BacktestReport {
    const end = this.#to ?? 0
    for (const tested of this.#accounts.values()) {
      this.#advance(tested, end)
      this.#tally.close(tested.tally, end)
    }
    const { applied, late, duplicate, 'too-old': tooOld } = this.#outcomes
    const isEmpty = this.#from === undefined
    const numbers = {
      accounts: this.#accounts.size,
      signals: applied + late,
      duplicates: duplicate,
      tooOld,
      from: this.#from,
      to: isEmpty ? undefined : this.#to,
    }
    return createBacktestReport(this.#model.definition, numbers, this.#tally.counts)
  }

  #create(signal: Signal, observedAt: number): TestedAccount {
    const cause = { type: 'signal', signalId: signal.id } as const
    const tested: TestedAccount = {
      account: createAccount(signal.accountId, observedAt, this.#models, cause),
      tally: createAccountTally(),
      nextMonth: monthAfter(observedAt),
      opened: this.#model.triggers.map(() => undefined),
    }
    this.#accounts.set(signal.accountId, tested)
    return tested
  }

  /**
   * Advances the account to `until` (included). At each beginning of a month on the way, its tier is counted.
   */
  #advance(tested: TestedAccount, until: number): void {
    const { account, tally } = tested
    while (tested.nextMonth <= until) {
      const at = tested.nextMonth
      this.#countOpenedPqls(tested, advance(account, at))
      const { tier, inScope } = account.standings[0]!
      this.#tally.beginMonth(tally, at, inScope ? tier : undefined)
      tested.nextMonth = monthAfter(at)
    }
    this.#countOpenedPqls(tested, advance(account, until))
  }

  #countOpenedPqls(tested: TestedAccount, events: readonly ScoringEvent[]): void {
    for (const event of events) {
      if (event.type !== 'pql' || (event.status !== 'qualified' && event.status !== 'released')) continue
      const trigger = this.#triggers.get(event.trigger)!
      if (tested.opened[trigger] === event.pqlId) continue
      tested.opened[trigger] = event.pqlId
      this.#tally.openPql(tested.tally, event.at, trigger)
    }
  }
}

/** The first beginning of a month (UTC) after `time`; both in ms. */
function monthAfter(time: number): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
