import type {
  Case,
  Dimension,
  Expression,
  FeatureDefinition,
  GroupDefinition,
  Line,
  ModelDefinition,
  RuleDefinition,
  Selection,
  TierDefinition,
  TriggerDefinition,
  Value,
  Window,
} from '../../src/scoring/model-definition.ts'
import type { Cause, Contribution, PqlEvent, PqlStatus, ScoringEvent } from '../../src/scoring/outputs.ts'
import type { PropertyValue, Signal } from '../../src/scoring/signal.ts'

/**
 * The oracle: what `docs/how-a-score-is-defined.md` says, computed from all raw signals, anew at every boundary and after
 * every signal. It has no bucket, no running sum and no dirty flag, and shares nothing but types with `src/scoring/`, so
 * that a mistake of the incremental evaluator cannot be in here as well. Where that page leaves a choice, a comment that
 * begins with "Choice" says what was chosen.
 */

/** One record of the log. Timestamps do not go back, or a tick would show (the rules page, "Time"). */
export type HistoryRecord =
  | { readonly timestamp: number; readonly signal: Signal }
  | { readonly timestamp: number; readonly tick: true }
  | { readonly timestamp: number; readonly models: readonly ModelDefinition[] }

export interface SlowOptions {
  /** Evaluate at really every boundary; without it those that provably change nothing are passed over (see `mayChange`). */
  readonly everyBoundary?: boolean
}

export type SlowTriggerState =
  | { readonly status: 'idle'; readonly cooldownUntil: number }
  | {
      readonly status: 'open' | 'held'
      readonly pqlId: string
      readonly qualifiedAt: number
      readonly expiresAt: number
    }

export interface SlowStanding {
  readonly modelId: string
  readonly modelVersion: number
  /** As of the last evaluation; 0, 0 and empty before the first one. */
  readonly score: number
  readonly coverage: number
  readonly contributions: readonly Contribution[]
  readonly features: ReadonlyMap<string, Value>
  readonly tier: string
  readonly enteredAt: number
  /** By the trigger's name; all triggers of the model. */
  readonly triggers: ReadonlyMap<string, SlowTriggerState>
}

export interface SlowAccount {
  readonly accountId: string
  readonly clock: number
  /** Ascending by `modelId`. */
  readonly standings: readonly SlowStanding[]
  readonly duplicates: number
  readonly dropped: {
    readonly tooOld: number
    readonly names: number
    readonly keys: number
    readonly values: number
  }
}

export interface SlowResult {
  /** In order per account; between accounts in the order of the records that brought them. */
  readonly events: readonly ScoringEvent[]
  readonly accounts: ReadonlyMap<string, SlowAccount>
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const HELD_DAYS = 400
const LONGEST_HOUR_WINDOW = 48
const DUPLICATE_HORIZON_MS = 172_800_000
const DUPLICATE_IDS = 1_024
const HELD_NAMES = 256
const HELD_KEYS = 256
const HELD_VALUES = 64
const VALUE_DIMENSIONS: readonly Dimension[] = ['team', 'location', 'product']

/** A raw signal that was applied, with what the caps let in of it. */
interface Applied {
  readonly signal: Signal
  readonly day: number
  readonly hour: number
  /** The account's clock when it was applied. */
  readonly appliedAt: number
  readonly nameKept: boolean
  readonly valuesKept: ReadonlyMap<Dimension, string>
  /** By key, `kind.property`. */
  readonly factsKept: ReadonlyMap<string, PropertyValue>
}

interface Standing extends SlowStanding {
  active: ActiveModel
  modelVersion: number
  score: number
  coverage: number
  contributions: readonly Contribution[]
  features: ReadonlyMap<string, Value>
  tier: string
  enteredAt: number
  readonly triggers: Map<string, SlowTriggerState>
}

interface Account extends SlowAccount {
  clock: number
  readonly applied: Applied[]
  standings: Standing[]
  duplicates: number
  readonly dropped: { tooOld: number; names: number; keys: number; values: number }
  /** The last evaluation changed nothing, so that the next one can only if a feature or a deadline does. */
  settled: boolean
  /** No boundary is before this. */
  quietUntil: number
  /** By model and trigger, over all versions: numbers the PQLs. */
  readonly pqlCounts: Map<string, number>
}

interface ActiveModel {
  readonly definition: ModelDefinition
  readonly text: string
  readonly hasHourWindows: boolean
  /** A day-based feature can change on a day on which a signal is exactly so many days old … */
  readonly turningDays: ReadonlySet<number>
  /** … and an hour-based one in an hour in which a signal is exactly so many hours old. */
  readonly turningHours: ReadonlySet<number>
  /** Features that can change on any day. */
  readonly daily: readonly FeatureDefinition[]
}

interface Run {
  readonly events: ScoringEvent[]
  readonly everyBoundary: boolean
}

/** What a feature is read from. */
interface Moment {
  readonly applied: readonly Applied[]
  /** Those of them whose day is not forgotten. */
  readonly held: readonly Applied[]
  readonly today: number
  readonly hour: number
}

/** Evaluates a log from its beginning. The ids of the events are '', the `pqlId`s `trigger#n`: compare `withoutIds`. */
export function slowEvaluate(history: readonly HistoryRecord[], options: SlowOptions = {}): SlowResult {
  const run: Run = { events: [], everyBoundary: options.everyBoundary ?? false }
  const accounts = new Map<string, Account>()
  let active: readonly ActiveModel[] = []
  for (const record of history) {
    if ('models' in record) {
      active = record.models.map(activate).sort((a, b) => compareTexts(a.definition.id, b.definition.id))
      for (const account of accounts.values()) bringToModels(run, account, active, record.timestamp)
    } else if ('tick' in record) {
      for (const account of accounts.values()) passBoundaries(run, account, record.timestamp)
    } else {
      const { accountId } = record.signal
      const observedAt = Math.max(record.timestamp, record.signal.occurredAt)
      const known = accounts.get(accountId)
      const account = known ?? createAccount(accountId, observedAt, active)
      accounts.set(accountId, account)
      takeSignal(run, account, record.signal, observedAt, known === undefined)
    }
  }
  return { events: run.events, accounts }
}

/**
 * Events as they must be equal on both sides: `id` is '', `pqlId` the order of its first appearance under account, model
 * and trigger, accounts in ascending order (between accounts no order is promised), and -0 is 0, as in JSON.
 */
export function withoutIds(events: readonly ScoringEvent[]): ScoringEvent[] {
  const numbers = new Map<string, Map<string, number>>()
  const plain = events.map((event): ScoringEvent => {
    if (event.type === 'tier-change') return { ...withPlainZeros(event), id: '' }
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

function createAccount(accountId: string, clock: number, active: readonly ActiveModel[]): Account {
  return {
    accountId,
    clock,
    applied: [],
    standings: active.map(model => startStanding(model, clock)),
    duplicates: 0,
    dropped: { tooOld: 0, names: 0, keys: 0, values: 0 },
    settled: false,
    quietUntil: Number.NEGATIVE_INFINITY,
    pqlCounts: new Map(),
  }
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
    triggers: new Map(triggers.map(({ name }) => [name, NEVER_QUALIFIED])),
  }
}

const NEVER_QUALIFIED: SlowTriggerState = { status: 'idle', cooldownUntil: Number.NEGATIVE_INFINITY }

function takeSignal(run: Run, account: Account, signal: Signal, observedAt: number, isNew: boolean): void {
  passBoundaries(run, account, observedAt)
  account.clock = Math.max(account.clock, observedAt)
  if (isDuplicate(account, signal.id)) {
    account.duplicates += 1
    return
  }
  const today = dayOf(account.clock)
  const day = dayOf(signal.occurredAt)
  if (day <= today - HELD_DAYS) {
    account.dropped.tooOld += 1
    if (isNew) evaluate(run, account, { type: 'late', signalId: signal.id })
    return
  }
  account.applied.push(applySignal(account, signal))
  evaluate(run, account, { type: day < today ? 'late' : 'signal', signalId: signal.id })
}

function isDuplicate({ applied, clock }: Account, id: string): boolean {
  return applied
    .slice(-DUPLICATE_IDS)
    .some(({ signal, appliedAt }) => signal.id === id && clock - appliedAt < DUPLICATE_HORIZON_MS)
}

/**
 * Choice: the caps look at each part of a signal for itself: of one whose name is not kept the user and the values are
 * seen all the same, and its id is kept.
 */
function applySignal(account: Account, signal: Signal): Applied {
  const moment = momentOf(account)
  const isActivity = signal.kind === 'usage' || signal.kind === 'intent' || signal.kind === 'outcome'
  return {
    signal,
    day: dayOf(signal.occurredAt),
    hour: hourOf(signal.occurredAt),
    appliedAt: account.clock,
    nameKept: isActivity && keepsName(account, moment, signal),
    valuesKept: keptValues(account, moment, signal),
    factsKept: isActivity ? new Map() : keptFacts(account, signal),
  }
}

function keepsName(account: Account, { held }: Moment, signal: Signal): boolean {
  const pairs = new Set(held.filter(({ nameKept }) => nameKept).map(each => pairOf(each.signal)))
  if (pairs.has(pairOf(signal)) || pairs.size < HELD_NAMES) return true
  account.dropped.names += 1
  return false
}

function keptValues(account: Account, moment: Moment, signal: Signal): Map<Dimension, string> {
  const kept = new Map<Dimension, string>()
  if (signal.kind !== 'usage' && signal.kind !== 'intent') return kept
  for (const dimension of VALUE_DIMENSIONS) {
    const value = signal.properties[dimension]
    if (typeof value !== 'string') continue
    const held = seenValues(moment, dimension)
    if (held.has(value) || held.size < HELD_VALUES) kept.set(dimension, value)
    else account.dropped.values += 1
  }
  return kept
}

/** Choice: a key whose value became null is held on, as its `occurredAt` still decides. */
function keptFacts(account: Account, signal: Signal): Map<string, PropertyValue> {
  const held = new Set(account.applied.flatMap(({ factsKept }) => [...factsKept.keys()]))
  const kept = new Map<string, PropertyValue>()
  for (const [property, value] of Object.entries(signal.properties)) {
    const key = `${signal.kind}.${property}`
    if (held.has(key) || held.size < HELD_KEYS) {
      held.add(key)
      kept.set(key, value)
    } else account.dropped.keys += 1
  }
  return kept
}

// ---- Boundaries ----

function passBoundaries(run: Run, account: Account, until: number): void {
  while (account.quietUntil <= until) {
    const boundary = nextBoundary(run, account)
    account.quietUntil = boundary
    if (boundary > until) break
    account.clock = boundary
    if (run.everyBoundary || mayChange(account)) evaluate(run, account, { type: 'window' })
  }
  // The full hours that `nextBoundary` left out were passed as well.
  const step = hasHourWindows(account) ? HOUR_MS : DAY_MS
  account.clock = Math.max(account.clock, Math.floor(until / step) * step)
}

function nextBoundary(run: Run, account: Account): number {
  const { clock } = account
  const hour = hourOf(clock)
  // In a settled account all of whose signals are 48 hours old no full hour can change anything but a midnight does.
  const hoursMatter =
    run.everyBoundary ||
    !account.settled ||
    account.applied.some(each => each.hour > hour - LONGEST_HOUR_WINDOW)
  const step = hoursMatter && hasHourWindows(account) ? HOUR_MS : DAY_MS
  const sleeps = !run.everyBoundary && account.settled && isForgotten(account)
  const next = sleeps ? Number.POSITIVE_INFINITY : (Math.floor(clock / step) + 1) * step
  return Math.min(next, ...deadlinesOf(account).filter(deadline => deadline > clock))
}

/** Then every feature reads nothing, today and on all days to come. */
function isForgotten({ applied, clock }: Account): boolean {
  return applied.every(({ day, factsKept }) => day <= dayOf(clock) - HELD_DAYS && factsKept.size === 0)
}

function hasHourWindows({ standings }: Account): boolean {
  return standings.some(({ active }) => active.hasHourWindows)
}

function deadlinesOf({ standings }: Account): number[] {
  return standings.flatMap(({ active, enteredAt, triggers }) => [
    enteredAt + active.definition.tierPolicy.dwellMs,
    ...[...triggers.values()].map(state => (state.status === 'idle' ? state.cooldownUntil : state.expiresAt)),
  ])
}

/**
 * Whether an evaluation at the boundary that the clock is at can differ from the last one. An evaluation is a function of
 * the features, of the standings, and of which deadlines are reached. If the last one changed no standing (`settled`),
 * the next one changes none as long as the features are the same and no deadline was reached since.
 *
 * A feature other than those in `daily` depends on a signal only through comparisons of its age in days (or hours) with
 * the constants in `turningDays` (or `turningHours`), so it is the same as a day (or hour) ago unless a signal has just
 * reached one of them. The features in `daily` are computed and compared with the last evaluation's. The cost of a day is
 * so about one pass over the account's signals in place of one a feature.
 */
function mayChange(account: Account): boolean {
  const { clock, settled, standings } = account
  if (!settled || deadlinesOf(account).includes(clock)) return true
  const moment = momentOf(account)
  const { applied, today, hour } = moment
  if (
    clock % HOUR_MS === 0 &&
    standings.some(({ active }) => applied.some(each => active.turningHours.has(hour - each.hour)))
  )
    return true
  if (clock % DAY_MS !== 0) return false
  return standings.some(
    ({ active, features }) =>
      applied.some(each => active.turningDays.has(today - each.day)) ||
      active.daily.some(feature => readFeature(feature, moment, NONE) !== features.get(feature.name)),
  )
}

const NONE: ReadonlyMap<string, Value> = new Map()

function activate(definition: ModelDefinition): ActiveModel {
  // At 400 days everything of a signal is forgotten but its facts.
  const turningDays = new Set<number>([HELD_DAYS])
  const turningHours = new Set<number>()
  for (const feature of definition.features) {
    if ('window' in feature) {
      const { unit, length } = feature.window
      if (unit === 'hour') turningHours.add(length)
      else turningDays.add(length)
    }
    if ('windowDays' in feature) turningDays.add(feature.windowDays)
    if (feature.type === 'growth') turningDays.add(2 * feature.windowDays)
    if (feature.type === 'latest' && feature.maxAgeDays !== undefined) turningDays.add(feature.maxAgeDays + 1)
  }
  const daily = definition.features.filter(
    ({ type }) => type === 'daysUntil' || type === 'daysSince' || type === 'daysSinceSignal',
  )
  return {
    definition,
    text: JSON.stringify(definition),
    hasHourWindows: turningHours.size > 0,
    turningDays,
    turningHours,
    daily,
  }
}

// ---- Features ----

function momentOf({ applied, clock }: Account): Moment {
  const today = dayOf(clock)
  return { applied, held: applied.filter(({ day }) => day > today - HELD_DAYS), today, hour: hourOf(clock) }
}

function readFeatures(model: ModelDefinition, moment: Moment): Map<string, Value> {
  const values = new Map<string, Value>()
  for (const feature of model.features) values.set(feature.name, readFeature(feature, moment, values))
  return values
}

function readFeature(feature: FeatureDefinition, moment: Moment, values: ReadonlyMap<string, Value>): Value {
  switch (feature.type) {
    case 'count':
      return signalsIn(moment, feature.select, feature.window).length
    case 'sum':
      return quantityOf(signalsIn(moment, feature.select, feature.window))
    case 'distinctNames':
      return new Set(signalsIn(moment, feature.select, feature.window).map(({ signal }) => pairOf(signal)))
        .size
    case 'activeDays':
      return new Set(signalsIn(moment, feature.select, feature.window).map(each => each[feature.window.unit]))
        .size
    case 'distinctUsers':
      return [...lastSeenUsers(moment).values()].filter(day => day > moment.today - feature.windowDays).length
    case 'distinctValues':
    case 'newValues': {
      const which = feature.type === 'newValues' ? 'first' : 'last'
      const seen = [...seenValues(moment, feature.dimension).values()]
      return seen.filter(days => days[which] > moment.today - feature.windowDays).length
    }
    case 'latest': {
      const fact = latestFact(moment, feature.key)
      const { maxAgeDays, valueType } = feature
      if (fact === undefined || fact.value === null || typeof fact.value !== valueType) return undefined
      if (maxAgeDays !== undefined && dayOf(fact.occurredAt) < moment.today - maxAgeDays) return undefined
      return fact.value
    }
    case 'daysUntil':
    case 'daysSince': {
      const day = dayOfDate(latestFact(moment, feature.key)?.value)
      if (day === undefined) return undefined
      const until = feature.type === 'daysUntil'
      const other = feature.everyYear ? anniversary(day, moment.today, until) : day
      return cut(until ? other - moment.today : moment.today - other, feature.min, feature.max)
    }
    case 'daysSinceSignal': {
      const days = selectedSignals(moment, feature.select).map(({ day }) => day)
      if (days.length === 0) return undefined
      return Math.min(moment.today - days.reduce((a, b) => Math.max(a, b)), feature.max)
    }
    case 'growth':
      return 'key' in feature.of
        ? growthOfKey(moment, feature.of.key, feature.windowDays)
        : growthOfActivity(moment, feature.of.select, feature.of.measure, feature.windowDays)
    case 'ratio': {
      const of = values.get(feature.of)
      const to = values.get(feature.to)
      if (typeof of !== 'number' || typeof to !== 'number' || to === 0) return undefined
      return of / to
    }
    case 'largest':
    case 'smallest': {
      const known = feature.of.map(name => values.get(name)).filter(value => typeof value === 'number')
      if (known.length === 0) return undefined
      return known.reduce((a, b) => (feature.type === 'largest' ? Math.max(a, b) : Math.min(a, b)))
    }
  }
}

function selectedSignals({ held }: Moment, { kinds, names }: Selection): Applied[] {
  return held.filter(
    ({ signal, nameKept }) =>
      nameKept &&
      kinds.some(kind => kind === signal.kind) &&
      (names === undefined || names.some(name => matchesName(name, signal.name))),
  )
}

function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** A window has no upper end to check: no signal occurred after the clock. */
function signalsIn(moment: Moment, select: Selection, { unit, length }: Window): Applied[] {
  const now = unit === 'day' ? moment.today : moment.hour
  return selectedSignals(moment, select).filter(each => each[unit] > now - length)
}

/** Whole thousandths add up exactly, whatever the order. */
function quantityOf(signals: readonly Applied[]): number {
  return signals.reduce((sum, { signal }) => sum + signal.quantityThousandths, 0) / 1000
}

function lastSeenUsers({ held }: Moment): Map<string, number> {
  const last = new Map<string, number>()
  for (const { signal, day } of held) {
    if (signal.userId === undefined || (signal.kind !== 'usage' && signal.kind !== 'intent')) continue
    last.set(signal.userId, Math.max(day, last.get(signal.userId) ?? day))
  }
  return last
}

/**
 * First and last seen day of the values held. Choice: a value is forgotten as a whole, when its last seen day is; until
 * then its first one counts however old it is, so that an old value does not turn new when its first day is 400 days ago.
 */
function seenValues(
  { applied, today }: Moment,
  dimension: Dimension,
): Map<string, { first: number; last: number }> {
  const seen = new Map<string, { first: number; last: number }>()
  for (const { valuesKept, day, appliedAt } of applied) {
    const value = valuesKept.get(dimension)
    if (value === undefined) continue
    const known = seen.get(value)
    if (known === undefined || known.last <= dayOf(appliedAt) - HELD_DAYS) {
      seen.set(value, { first: day, last: day })
    } else {
      seen.set(value, { first: Math.min(known.first, day), last: Math.max(known.last, day) })
    }
  }
  return new Map([...seen].filter(([, { last }]) => last > today - HELD_DAYS))
}

/** Choice: null is a value like any other here, so a number that occurred before the null does not come back. */
function latestFact(
  { applied }: Moment,
  key: string,
): { value: PropertyValue; occurredAt: number } | undefined {
  let latest: { value: PropertyValue; occurredAt: number } | undefined
  for (const { signal, factsKept } of applied) {
    const value = factsKept.get(key)
    if (value === undefined || signal.occurredAt < (latest?.occurredAt ?? signal.occurredAt)) continue
    latest = { value, occurredAt: signal.occurredAt }
  }
  return latest
}

/**
 * Nothing is forgotten here: of the days that are, the latest entry stays, and an earlier one is never the latest up to a day
 * of a window. Choice: a number enters the history of its day also when it came too late to be the key's value.
 */
function growthOfKey(moment: Moment, key: string, windowDays: number): Value {
  const now = latestFact(moment, key)?.value
  let then: { value: number; occurredAt: number } | undefined
  for (const { signal, day, factsKept } of moment.applied) {
    const value = factsKept.get(key)
    if (typeof value !== 'number' || day > moment.today - windowDays) continue
    // The highest `occurredAt` of all is also on the latest day.
    if (signal.occurredAt >= (then?.occurredAt ?? signal.occurredAt))
      then = { value, occurredAt: signal.occurredAt }
  }
  if (typeof now !== 'number' || then === undefined || then.value === 0) return undefined
  return (now - then.value) / Math.abs(then.value)
}

/** Choice: sums are divided by 1000 each, before they are subtracted: (a/1000 - b/1000) / (b/1000). */
function growthOfActivity(
  moment: Moment,
  select: Selection,
  measure: 'count' | 'sum',
  windowDays: number,
): Value {
  const measured = (from: number, to: number) => {
    const signals = selectedSignals(moment, select).filter(({ day }) => day > from && day <= to)
    return measure === 'count' ? signals.length : quantityOf(signals)
  }
  const start = moment.today - windowDays
  const before = measured(start - windowDays, start)
  return before === 0 ? undefined : (measured(start, moment.today) - before) / before
}

/** Choice: of a text the first ten characters count, whatever follows; ms beyond what a date can be are no date. */
function dayOfDate(value: PropertyValue | undefined): number | undefined {
  if (typeof value === 'number') return Number.isNaN(new Date(value).getTime()) ? undefined : dayOf(value)
  if (typeof value !== 'string') return undefined
  const parts = /^(\d{4})-(\d{2})-(\d{2})/.exec(value)
  if (parts === null) return undefined
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number]
  const date = new Date(calendarDay(year, month - 1, day) * DAY_MS)
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isReal ? dayOf(date.getTime()) : undefined
}

/** The day of a date whose parts may overflow: 29 February of a year without one is 1 March. */
function calendarDay(year: number, month: number, day: number): number {
  return dayOf(new Date(0).setUTCFullYear(year, month, day))
}

function anniversary(day: number, today: number, next: boolean): number {
  const date = new Date(day * DAY_MS)
  const year = new Date(today * DAY_MS).getUTCFullYear()
  const inYear = (of: number) => calendarDay(of, date.getUTCMonth(), date.getUTCDate())
  const thisYear = inYear(year)
  if (next) return thisYear >= today ? thisYear : inYear(year + 1)
  return thisYear <= today ? thisYear : inYear(year - 1)
}

// ---- Conditions ----

function resultOf(expression: Expression, values: ReadonlyMap<string, Value>): Value {
  switch (expression.type) {
    case 'literal':
      return expression.value
    case 'feature':
      return values.get(expression.name)
    case 'known':
      return values.get(expression.name) !== undefined
    case 'not': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : !of
    }
    case 'negate': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : -asNumber(of)
    }
    case 'and':
    case 'or': {
      const decides = expression.type === 'or'
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      if (left === decides || right === decides) return decides
      return left === undefined || right === undefined ? undefined : !decides
    }
    case 'compare': {
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      return left === undefined || right === undefined ? undefined : compare(expression.operator, left, right)
    }
    case 'arithmetic': {
      const left = resultOf(expression.left, values)
      const right = resultOf(expression.right, values)
      if (left === undefined || right === undefined) return undefined
      return calculate(expression.operator, asNumber(left), asNumber(right))
    }
    case 'in': {
      const of = resultOf(expression.of, values)
      return of === undefined ? undefined : expression.list.includes(of)
    }
    case 'conditional': {
      const test = resultOf(expression.test, values)
      if (test === undefined) return undefined
      return resultOf(test ? expression.then : expression.otherwise, values)
    }
  }
}

type Known = number | string | boolean

function asNumber(value: Known): number {
  if (typeof value !== 'number')
    throw new Error(`a checked condition does not calculate with a ${typeof value}`)
  return value
}

function compare(operator: '<' | '<=' | '>' | '>=' | '==' | '!=', left: Known, right: Known): boolean {
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

function calculate(operator: '+' | '-' | '*' | '/', left: number, right: number): Value {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? undefined : left / right
  }
}

/** The features that expressions name, ascending; `score` and `tier` are not features. */
function namesIn(expressions: readonly Expression[]): string[] {
  const names = new Set<string>()
  const visit = (expression: Expression): void => {
    switch (expression.type) {
      case 'literal':
        return
      case 'feature':
      case 'known':
        names.add(expression.name)
        return
      case 'not':
      case 'negate':
      case 'in':
        visit(expression.of)
        return
      case 'conditional':
        visit(expression.test)
        visit(expression.then)
        visit(expression.otherwise)
        return
      case 'and':
      case 'or':
      case 'compare':
      case 'arithmetic':
        visit(expression.left)
        visit(expression.right)
    }
  }
  for (const expression of expressions) visit(expression)
  return [...names].sort(compareTexts)
}

function namedValues(
  names: readonly string[],
  values: ReadonlyMap<string, Value>,
): Record<string, Known | null> {
  return Object.fromEntries(names.map(name => [name, values.get(name) ?? null]))
}

// ---- Score ----

interface Scored {
  readonly score: number
  readonly coverage: number
  readonly contributions: readonly Contribution[]
}

function scoreModel(model: ModelDefinition, features: ReadonlyMap<string, Value>): Scored {
  const contributions: Contribution[] = []
  let total = 0
  let covered = 0
  let weights = 0
  for (const group of model.groups) {
    const scored = scoreGroup(group, features, model.score.scale)
    contributions.push(...scored.contributions)
    total += group.weight * scored.points
    covered += group.weight * scored.covered
    weights += group.weight
  }
  const { scale, min, max, decimals } = model.score
  return {
    score: cut(roundTo(total * scale, decimals), min, max),
    coverage: round6(covered / weights),
    contributions,
  }
}

function scoreGroup(group: GroupDefinition, features: ReadonlyMap<string, Value>, scale: number) {
  const rules = group.rules.map(rule => {
    const found = pointsOfRule(rule, features)
    const policy = rule.missing.type === 'points' ? rule.missing.points : undefined
    return { rule, known: found !== undefined, points: found ?? policy }
  })
  const sumOfMax = (of: typeof rules) => of.reduce((sum, { rule }) => sum + rule.max, 0)
  const maxOfAll = sumOfMax(rules)
  const included = rules.filter(({ points }) => points !== undefined)
  const maxOfIncluded = sumOfMax(included)
  const anyLeftOut = included.length < rules.length
  // Choice: rules whose max is 0 share nothing out; if only such are left, the group gives 0 (and no 0 / 0).
  const nothingToShareOut = anyLeftOut && maxOfIncluded === 0
  const sum = included.reduce((total, { points }) => total + (points ?? 0), 0)
  const shared = nothingToShareOut ? 0 : anyLeftOut ? (sum / maxOfIncluded) * maxOfAll : sum
  const factor = nothingToShareOut ? 0 : anyLeftOut ? maxOfAll / maxOfIncluded : 1
  return {
    points: cut(shared, 0, group.max),
    // Choice: a group of rules that are all of max 0 covers nothing.
    covered: maxOfAll === 0 ? 0 : sumOfMax(rules.filter(({ known }) => known)) / maxOfAll,
    contributions: rules.map(
      ({ rule, known, points }): Contribution => ({
        group: group.name,
        rule: rule.name,
        points: points ?? null,
        max: rule.max,
        known,
        contribution: points === undefined ? 0 : round6(scale * group.weight * points * factor),
        inputs: namedValues(inputsOfRule(rule), features),
      }),
    ),
  }
}

/** Undefined: the rule is missing. */
function pointsOfRule(rule: RuleDefinition, features: ReadonlyMap<string, Value>): number | undefined {
  switch (rule.type) {
    case 'line':
      return pointsOnLine(rule.line, features)
    case 'bands': {
      const value = features.get(rule.of)
      if (typeof value !== 'number') return undefined
      const reached = rule.bands.findLast(({ edge, limit }) =>
        edge === 'from' ? value >= limit : value > limit,
      )
      return reached?.points ?? rule.below
    }
    case 'cases': {
      const conditional = rule.cases.filter(each => each.when !== undefined)
      const outcomes = conditional.map(each => resultOf(each.when!.expression, features))
      const met = outcomes.indexOf(true)
      if (met >= 0) return pointsOfCase(conditional[met]!, features)
      if (outcomes.includes(undefined)) return undefined
      const otherwise = rule.cases.find(each => each.when === undefined)
      return otherwise === undefined ? 0 : pointsOfCase(otherwise, features)
    }
  }
}

function pointsOfCase({ points }: Case, features: ReadonlyMap<string, Value>): number | undefined {
  return typeof points === 'number' ? points : pointsOnLine(points, features)
}

/** Choice: on a corner a line gives that corner's points exactly: the segment that begins there counts. */
function pointsOnLine({ of, corners }: Line, features: ReadonlyMap<string, Value>): number | undefined {
  const x = features.get(of)
  if (typeof x !== 'number') return undefined
  const next = corners.findIndex(([corner]) => x < corner)
  if (next === -1) return corners.at(-1)![1]
  if (next === 0) return corners[0]![1]
  const [x0, p0] = corners[next - 1]!
  const [x1, p1] = corners[next]!
  return p0 + ((p1 - p0) * (x - x0)) / (x1 - x0)
}

function inputsOfRule(rule: RuleDefinition): string[] {
  const feature = (name: string): Expression => ({ type: 'feature', name })
  switch (rule.type) {
    case 'line':
      return [rule.line.of]
    case 'bands':
      return [rule.of]
    case 'cases':
      return namesIn(
        rule.cases.flatMap(({ when, points }) => [
          ...(when === undefined ? [] : [when.expression]),
          ...(typeof points === 'number' ? [] : [feature(points.of)]),
        ]),
      )
  }
}

// ---- An evaluation ----

function evaluate(run: Run, account: Account, cause: Cause): void {
  const before = run.events.length
  for (const standing of account.standings) evaluateStanding(run, account, standing, cause)
  account.settled = run.events.length === before
  account.quietUntil = Number.NEGATIVE_INFINITY
}

function evaluateStanding(run: Run, account: Account, standing: Standing, cause: Cause): void {
  const model = standing.active.definition
  const previousScore = standing.score
  standing.features = readFeatures(model, momentOf(account))
  Object.assign(standing, scoreModel(model, standing.features))
  moveTier(run, account, standing, cause, previousScore)
  const values = triggerValues(standing)
  for (const trigger of model.triggers) stepTrigger(run, account, standing, trigger, values, cause)
}

function moveTier(run: Run, account: Account, standing: Standing, cause: Cause, previousScore: number): void {
  const model = standing.active.definition
  const target = targetTier(model, standing)
  if (target.name === standing.tier) return
  if (account.clock - standing.enteredAt < model.tierPolicy.dwellMs) return
  run.events.push({
    type: 'tier-change',
    id: '',
    accountId: account.accountId,
    modelId: model.id,
    modelVersion: model.version,
    from: standing.tier,
    to: target.name,
    score: standing.score,
    previousScore,
    at: account.clock,
    cause,
    contributions: standing.contributions,
  })
  standing.tier = target.name
  standing.enteredAt = account.clock
}

/** Choice: beyond its margin an account falls to the tier of its score, whatever the margins of the tiers between. */
function targetTier({ tiers, tierPolicy }: ModelDefinition, { score, tier }: Standing): TierDefinition {
  const reached = tiers.findLast(({ from }) => from <= score) ?? tiers[0]!
  const present = tiers.find(({ name }) => name === tier)!
  const goesDown = tiers.indexOf(reached) < tiers.indexOf(present)
  // Choice: the edge is rounded as scores are, so that 1.1 less a margin of 0.2 is 0.9.
  return goesDown && score >= round6(present.from - tierPolicy.margin) ? present : reached
}

function stepTrigger(
  run: Run,
  account: Account,
  standing: Standing,
  trigger: TriggerDefinition,
  values: ReadonlyMap<string, Value>,
  cause: Cause,
): void {
  const { clock } = account
  const state = standing.triggers.get(trigger.name)!
  const met = resultOf(trigger.when.expression, values) === true
  const open = gatesOpen(standing, trigger)
  const emit = (status: PqlStatus, pqlId: string, of: Cause) =>
    run.events.push(pqlEvent(account, standing, trigger, status, pqlId, of))
  const become = (next: SlowTriggerState) => standing.triggers.set(trigger.name, next)
  const gateCause: Cause =
    cause.signalId === undefined ? { type: 'gate' } : { type: 'gate', signalId: cause.signalId }

  if (state.status === 'idle') {
    if (!met || clock < state.cooldownUntil) return
    const pqlId = nextPqlId(account, standing, trigger)
    become({
      status: open ? 'open' : 'held',
      pqlId,
      qualifiedAt: clock,
      expiresAt: clock + trigger.expiryMs,
    })
    emit(open ? 'qualified' : 'held', pqlId, cause)
  } else if (!met || clock >= state.expiresAt) {
    become({ status: 'idle', cooldownUntil: clock + trigger.cooldownMs })
    emit(met ? 'expired' : 'disqualified', state.pqlId, cause)
  } else if (state.status === 'open' && !open) {
    become({ ...state, status: 'held' })
    emit('held', state.pqlId, gateCause)
  } else if (state.status === 'held' && open) {
    become({ ...state, status: 'open' })
    emit('released', state.pqlId, gateCause)
  }
}

function gatesOpen({ active, features }: Standing, trigger: TriggerDefinition): boolean {
  return active.definition.gates
    .filter(({ name }) => trigger.gates.includes(name))
    .every(gate => resultOf(gate.open.expression, features) ?? gate.missing === 'open')
}

function nextPqlId(account: Account, standing: Standing, trigger: TriggerDefinition): string {
  const scope = JSON.stringify([standing.modelId, trigger.name])
  const number = (account.pqlCounts.get(scope) ?? 0) + 1
  account.pqlCounts.set(scope, number)
  return `${trigger.name}#${number}`
}

function triggerValues({ features, score, tier }: Standing): Map<string, Value> {
  return new Map<string, Value>([...features, ['score', score], ['tier', tier]])
}

function pqlEvent(
  account: Account,
  standing: Standing,
  trigger: TriggerDefinition,
  status: PqlStatus,
  pqlId: string,
  cause: Cause,
): PqlEvent {
  const model = standing.active.definition
  const evidence = namesIn([trigger.when.expression]).filter(name => name !== 'score' && name !== 'tier')
  return {
    type: 'pql',
    id: '',
    pqlId,
    accountId: account.accountId,
    modelId: model.id,
    modelVersion: model.version,
    trigger: trigger.name,
    motion: trigger.motion,
    status,
    score: standing.score,
    tier: standing.tier,
    reasons: [fillReason(trigger.reason, triggerValues(standing))],
    evidence: namedValues(evidence, standing.features),
    play: trigger.play,
    decisionTimeline: trigger.decisionTimeline,
    at: account.clock,
    cause,
  }
}

/** Choice: a percentage of what is no number is written as without `%`; braces around no value's name stay. */
function fillReason(reason: string, values: ReadonlyMap<string, Value>): string {
  return reason.replace(/\{([^{}%]+)(%?)\}/g, (whole, name: string, percent: string) => {
    if (!values.has(name)) return whole
    const value = values.get(name)
    if (value === undefined) return 'unknown'
    if (typeof value !== 'number') return String(value)
    return percent === '%' ? `${roundTo(value * 100, 0)}%` : String(roundTo(value, 2))
  })
}

// ---- Models ----

/**
 * Choice: at once, when the record passes. An evaluator that does it when an account is next touched gives the same
 * events, but for accounts that are not touched again before the log ends.
 */
function bringToModels(run: Run, account: Account, active: readonly ActiveModel[], time: number): void {
  passBoundaries(run, account, time)
  account.clock = Math.max(account.clock, time)
  const before = new Map(account.standings.map(standing => [standing.modelId, standing]))
  for (const standing of account.standings) {
    if (active.some(({ definition }) => definition.id === standing.modelId)) continue
    disqualify(run, account, standing, () => true)
  }
  account.standings = active.map(model => {
    const held = before.get(model.definition.id)
    if (held?.active.text === model.text) return held
    const standing =
      held === undefined ? startStanding(model, account.clock) : carryOver(run, account, held, model)
    evaluateStanding(run, account, standing, { type: 'model' })
    return standing
  })
  account.settled = false
  account.quietUntil = Number.NEGATIVE_INFINITY
}

function carryOver(run: Run, account: Account, held: Standing, model: ActiveModel): Standing {
  const standing = startStanding(model, account.clock)
  disqualify(run, account, held, name => !standing.triggers.has(name))
  for (const [name, state] of held.triggers) {
    if (standing.triggers.has(name)) standing.triggers.set(name, state)
  }
  standing.score = held.score
  // Choice: from a tier that is gone the account gets into the lowest one silently, its score is kept all the same.
  if (model.definition.tiers.some(({ name }) => name === held.tier)) {
    standing.tier = held.tier
    standing.enteredAt = held.enteredAt
  }
  return standing
}

/**
 * Choice: with the version, score and tier that the account had under the old model. Its features are those of the last
 * evaluation: all boundaries up to the clock are passed, so they have not changed since.
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

// ---- Numbers ----

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS)
}

function cut(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

/** The 0 that is added takes the sign from -0, which JSON cannot tell from 0. */
function round6(value: number): number {
  return Math.round(value * 1e6) / 1e6 + 0
}

/** First to 10⁻⁶, so that 24.499999999999996 is the 24.5 that it is on paper, then halves up. */
function roundTo(value: number, decimals: number): number {
  const [whole = '', fraction = ''] = Math.abs(round6(value)).toFixed(6).split('.')
  const digits = BigInt(whole + fraction) * (value < 0 ? -1n : 1n)
  const unit = 10n ** BigInt(6 - decimals)
  const doubled = 2n * digits + unit
  // BigInt division cuts towards 0; halves go up.
  const rounded = doubled / (2n * unit) - (doubled < 0n && doubled % (2n * unit) !== 0n ? 1n : 0n)
  return Number(rounded * unit) / 1e6 + 0
}

/** (kind, name); a kind has no space. */
function pairOf({ kind, name }: Signal): string {
  return `${kind} ${name}`
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
