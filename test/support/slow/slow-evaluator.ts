import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type { Cause, ScoringEvent } from '../../../src/scoring/events.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import type { Account, ActiveModel, SlowAccount, SlowTriggerState, Standing } from './slow-account.ts'
import { activate, hasHourWindows, mayChange, nextBoundary } from './slow-boundaries.ts'
import {
  csmOf,
  evaluate,
  evaluateStanding,
  leave,
  pqlEvent,
  type Run,
  type SlowLead,
} from './slow-evaluation.ts'
import { SLOW_LIMITS, type SlowLimits } from './slow-limits.ts'
import { compareTexts, DAY_MS, dayOf, HELD_DAYS, HOUR_MS } from './slow-numbers.ts'
import { holdingOverride, overridesAt } from './slow-overrides.ts'
import { applySignal, isDuplicate } from './slow-signals.ts'

/**
 * The oracle. It computes what `docs/how-a-score-is-defined.md` says from all raw signals, again at every
 * boundary and after every signal. It has no buckets, running sums or dirty flags. It shares only types with
 * `src/scoring/`, so it cannot repeat a mistake of the incremental evaluator. A comment that begins with
 * "Choice" says what was chosen where the page leaves it open.
 */

/**
 * One record of the log. Timestamps do not go back, else a tick would show (the page on scores, "Time").
 * `loaded`: a signal of history, or a tick for the accounts in history; these have a time of their own.
 */
export type HistoryRecord =
  | { readonly timestamp: number; readonly signal: Signal; readonly loaded?: true }
  | { readonly timestamp: number; readonly tick: true; readonly loaded?: true }
  | { readonly timestamp: number; readonly models: readonly ModelDefinition[] }

/** From here on, all accounts that are in history are live. */
export interface LiveRecord {
  readonly timestamp: number
  readonly live: true
}

export interface SlowOptions {
  /**
   * Evaluates at every boundary. Without it, boundaries that provably change nothing are skipped (see
   * `mayChange`).
   */
  readonly everyBoundary?: boolean
  /** Default: the product's. */
  readonly limits?: SlowLimits
}
export interface SlowResult {
  /** In order within an account. Across accounts, in the order of the records that caused them. */
  readonly events: readonly ScoringEvent[]
  readonly accounts: ReadonlyMap<string, SlowAccount>
  /** The input of the key figures; see `slow-kpis.ts`. */
  readonly outcomes: readonly SlowOutcome[]
  readonly leads: readonly SlowLead[]
  readonly arrivals: readonly SlowArrival[]
}

/** An applied `outcome` signal, once for each active model. */
export interface SlowOutcome {
  readonly signal: Signal
  readonly model: ModelDefinition
  /**
   * Choice: as of this signal's evaluation, so that it is also defined for a signal that creates its account.
   */
  readonly inScope: boolean
  /** The account's tier before this signal was evaluated. */
  readonly tier: string
  readonly csm: string | undefined
}

/** An account that came under a model's id for the first time. */
export interface SlowArrival {
  readonly accountId: string
  readonly model: ModelDefinition
  /** The account's clock, in ms. */
  readonly at: number
}

interface WholeRun extends Run {
  readonly outcomes: SlowOutcome[]
  readonly arrivals: SlowArrival[]
  /** Account and model id, as JSON. */
  readonly arrived: Set<string>
  readonly limits: SlowLimits
}

/**
 * Evaluates a log from its beginning. Event ids are '', and a `pqlId` is `trigger#n`: compare with
 * `withoutIds`.
 */
export function slowEvaluate(
  history: readonly (HistoryRecord | LiveRecord)[],
  options: SlowOptions = {},
): SlowResult {
  const run: WholeRun = {
    events: [],
    leads: [],
    outcomes: [],
    arrivals: [],
    arrived: new Set(),
    everyBoundary: options.everyBoundary ?? false,
    limits: options.limits ?? SLOW_LIMITS,
  }
  const accounts = new Map<string, Account>()
  const inHistory = new Set<Account>()
  let active: readonly ActiveModel[] = []
  for (const record of history) {
    if ('models' in record) {
      active = record.models.map(activate).sort((a, b) => compareTexts(a.definition.id, b.definition.id))
      for (const account of accounts.values())
        bringToModels(run, account, active, inHistory.has(account) ? account.clock : record.timestamp)
    } else if ('live' in record) {
      inHistory.clear()
    } else if ('tick' in record) {
      for (const account of accounts.values())
        if (inHistory.has(account) === (record.loaded === true))
          passBoundaries(run, account, record.timestamp)
    } else {
      const { accountId } = record.signal
      const observedAt = Math.max(record.timestamp, record.signal.occurredAt)
      const known = accounts.get(accountId)
      const account = known ?? createAccount(run, accountId, observedAt, active)
      accounts.set(accountId, account)
      if (record.loaded !== true) inHistory.delete(account)
      else if (known === undefined) inHistory.add(account)
      takeSignal(run, account, record.signal, observedAt, known === undefined)
    }
  }
  const { events, leads, outcomes, arrivals } = run
  return { events, accounts, outcomes, leads, arrivals }
}

/**
 * Events in a form that is equal for both evaluators. Each `id` is ''. Each `pqlId` is its number in the
 * order of appearance, within account, model and trigger. Accounts ascend, since no order between accounts is
 * promised. -0 is 0, as in JSON.
 */
export function withoutIds(events: readonly ScoringEvent[]): ScoringEvent[] {
  const numbers = new Map<string, Map<string, number>>()
  const plain = events.map((event): ScoringEvent => {
    if (event.type !== 'pql') return { ...withPlainZeros(event), id: '' }
    const scope = JSON.stringify([event.accountId, event.modelId, event.trigger])
    const known = numbers.get(scope) ?? new Map<string, number>()
    numbers.set(scope, known)
    const number = known.get(event.pqlId) ?? known.size + 1
    known.set(event.pqlId, number)
    return { ...withPlainZeros(event), id: '', pqlId: `${event.trigger}#${number}` }
  })
  return plain.sort((a, b) => compareTexts(a.accountId, b.accountId))
}

function withPlainZeros<T>(value: T): T {
  if (typeof value === 'number') return (value + 0) as T
  if (Array.isArray(value)) return value.map(withPlainZeros) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, withPlainZeros(of)])) as T
}

// ---- A signal ----

function createAccount(
  run: WholeRun,
  accountId: string,
  clock: number,
  active: readonly ActiveModel[],
): Account {
  for (const { definition } of active) arrive(run, accountId, definition, clock)
  return {
    accountId,
    clock,
    firstDay: dayOf(clock),
    applied: [],
    standings: active.map(model => startStanding(model, clock)),
    duplicates: 0,
    dropped: {
      'too-old': 0,
      names: 0,
      keys: 0,
      values: 0,
      overrides: 0,
      'ended-models': 0,
      sums: 0,
      ids: 0,
      'former-tiers': 0,
    },
    endedModels: new Set(),
    isSettled: false,
    quietUntil: Number.NEGATIVE_INFINITY,
    formerTiers: new Map(),
    pqlCounts: new Map(),
  }
}

function arrive(run: WholeRun, accountId: string, model: ModelDefinition, at: number): void {
  const key = JSON.stringify([accountId, model.id])
  if (run.arrived.has(key)) return
  run.arrived.add(key)
  run.arrivals.push({ accountId, model, at })
}

function startStanding(active: ActiveModel, clock: number): Standing {
  const { id, version, tiers, triggers } = active.definition
  return {
    active,
    modelId: id,
    modelVersion: version,
    score: 0,
    coverage: 0,
    contributions: [],
    features: new Map(),
    tier: tiers[0]!.name,
    enteredAt: clock,
    inScope: true,
    triggers: new Map(triggers.map(({ name }) => [name, NEVER_QUALIFIED])),
    alerts: new Map(),
  }
}

const NEVER_QUALIFIED: SlowTriggerState = { status: 'idle', cooldownUntil: Number.NEGATIVE_INFINITY }

function takeSignal(
  run: WholeRun,
  account: Account,
  signal: Signal,
  observedAt: number,
  isNew: boolean,
): void {
  passBoundaries(run, account, observedAt)
  account.clock = Math.max(account.clock, observedAt)
  if (isDuplicate(account, signal.id)) {
    account.duplicates += 1
    return
  }
  const today = dayOf(account.clock)
  const day = dayOf(signal.occurredAt)
  if (day <= today - HELD_DAYS) {
    account.dropped['too-old'] += 1
    if (isNew) evaluate(run, account, () => ({ type: 'late', signalId: signal.id }))
    return
  }
  account.applied.push(applySignal(account, signal, run.limits))
  account.firstDay = Math.min(account.firstDay, day)
  const tiers = account.standings.map(({ tier }) => tier)
  const type = signal.kind === 'override' ? 'override' : day < today ? 'late' : 'signal'
  evaluate(run, account, () => ({ type, signalId: signal.id }))
  if (signal.kind !== 'outcome') return
  for (const [index, { active, inScope }] of account.standings.entries()) {
    const model = active.definition
    run.outcomes.push({ signal, model, inScope, tier: tiers[index]!, csm: csmOf(account, model) })
  }
}

function passBoundaries(run: Run, account: Account, until: number): void {
  while (account.quietUntil <= until) {
    const boundary = nextBoundary(account, run.everyBoundary)
    account.quietUntil = boundary
    if (boundary > until) break
    account.clock = boundary
    if (run.everyBoundary || mayChange(account))
      evaluate(run, account, ({ modelId }) => causeAt(account, modelId))
  }
  // The clock has also passed the full hours that `nextBoundary` skipped.
  const step = hasHourWindows(account) ? HOUR_MS : DAY_MS
  account.clock = Math.max(account.clock, Math.floor(until / step) * step)
}

// ---- Models ----

/** Choice: the end of an override is the cause even if the account is out of the model's scope. */
function causeAt({ applied, clock }: Account, modelId: string): Cause {
  const ending = holdingOverride(overridesAt(applied, clock - 1), modelId)
  return ending?.expiresAt === clock ? { type: 'override', signalId: ending.signalId } : { type: 'window' }
}

/**
 * Choice: at once, when the record passes. An evaluator that waits until an account is next touched makes the
 * same events, except for accounts that are never touched again before the log ends.
 */
function bringToModels(run: WholeRun, account: Account, active: readonly ActiveModel[], time: number): void {
  passBoundaries(run, account, time)
  account.clock = Math.max(account.clock, time)
  const before = new Map(account.standings.map(standing => [standing.modelId, standing]))
  for (const standing of account.standings) {
    if (active.some(({ definition }) => definition.id === standing.modelId)) continue
    leave(run, account, standing, { type: 'model' })
    countEnd(run, account, standing)
    rememberTier(run, account, standing)
  }
  account.standings = active.map(model => {
    const held = before.get(model.definition.id)
    arrive(run, account.accountId, model.definition, account.clock)
    if (held?.active.text === model.text) return held
    const standing = held === undefined ? comeBack(account, model) : carryOver(run, account, held, model)
    evaluateStanding(run, account, standing, { type: 'model' })
    return standing
  })
  account.isSettled = false
  account.quietUntil = Number.NEGATIVE_INFINITY
}

function comeBack(account: Account, model: ActiveModel): Standing {
  const standing = startStanding(model, account.clock)
  standing.tier = account.formerTiers.get(standing.modelId) ?? standing.tier
  account.formerTiers.delete(standing.modelId)
  return standing
}

function rememberTier({ limits }: WholeRun, account: Account, { modelId, tier }: Standing): void {
  if (account.formerTiers.size < limits.formerTiers) account.formerTiers.set(modelId, tier)
  else account.dropped['former-tiers'] += 1
}

function carryOver(run: WholeRun, account: Account, held: Standing, model: ActiveModel): Standing {
  const standing = startStanding(model, account.clock)
  disqualify(run, account, held, name => !standing.triggers.has(name))
  countEnd(run, account, held)
  for (const [name, state] of held.triggers) {
    if (standing.triggers.has(name)) standing.triggers.set(name, state)
  }
  const alertNames = new Set(model.definition.alerts.map(({ name }) => name))
  for (const [name, until] of held.alerts) if (alertNames.has(name)) standing.alerts.set(name, until)
  standing.score = held.score
  // The tier's name may be gone: then the evaluation leaves it.
  standing.tier = held.tier
  standing.enteredAt = held.enteredAt
  return standing
}

function countEnd({ limits }: WholeRun, account: Account, { modelId, modelVersion }: Standing): void {
  const version = `${modelId}@${modelVersion}`
  if (account.endedModels.has(version) || account.endedModels.size < limits.endedModels)
    account.endedModels.add(version)
  else account.dropped['ended-models'] += 1
}

/**
 * Choice: the events carry the version, score and tier of the old model. The features are from the last
 * evaluation. All boundaries up to the clock are passed, so they have not changed since.
 */
function disqualify(
  run: Run,
  account: Account,
  standing: Standing,
  concerns: (trigger: string) => boolean,
): void {
  for (const trigger of standing.active.definition.triggers) {
    const state = standing.triggers.get(trigger.name)!
    if (state.status === 'idle' || !concerns(trigger.name)) continue
    run.events.push(pqlEvent(account, standing, trigger, 'disqualified', state.pqlId, { type: 'model' }))
  }
}
