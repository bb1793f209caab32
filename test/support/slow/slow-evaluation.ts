import type { Formula, Value } from '../../../src/scoring/definition/expression.ts'
import type {
  AccountList,
  AlertDefinition,
  ModelDefinition,
  TierDefinition,
  TriggerDefinition,
} from '../../../src/scoring/definition/model-definition.ts'
import type { AlertEvent, Cause, PqlEvent, PqlStatus, ScoringEvent } from '../../../src/scoring/events.ts'
import { type Account, momentOf, type SlowTriggerState, type Standing } from './slow-account.ts'
import { namedValues, namesIn, resultOf } from './slow-expressions.ts'
import { latestFact } from './slow-facts.ts'
import { readFeatures } from './slow-features.ts'
import { cut, round6, roundTo } from './slow-numbers.ts'
import { holdingOverride, overridesAt, type SlowOverride } from './slow-overrides.ts'
import { scoreModel } from './slow-score.ts'

/** One evaluation of an account: scope, overrides, score, tier, triggers, alerts. */

export interface Run {
  readonly events: ScoringEvent[]
  readonly leads: SlowLead[]
  readonly everyBoundary: boolean
}

/** A new PQL, and the model that made it. */
export interface SlowLead {
  readonly event: PqlEvent
  readonly model: ModelDefinition
  /** The value of the model's CSM key at that moment, if it is a text. */
  readonly csm: string | undefined
}

export function evaluate(run: Run, account: Account, causeOf: (standing: Standing) => Cause): void {
  const before = run.events.length
  for (const standing of account.standings) evaluateStanding(run, account, standing, causeOf(standing))
  account.isSettled = run.events.length === before
  account.quietUntil = Number.NEGATIVE_INFINITY
}

export function evaluateStanding(run: Run, account: Account, standing: Standing, cause: Cause): void {
  const model = standing.active.definition
  const previousScore = standing.score
  standing.features = readFeatures(model, momentOf(account))
  standing.inScope = isInScope(model, account.accountId, standing.features)
  const override = standing.inScope
    ? holdingOverride(overridesAt(account.applied, account.clock), model.id)
    : undefined
  Object.assign(standing, scoreModel(model, standing.features))
  if (!standing.inScope) standing.score = asScore(model, 0)
  else if (override?.score !== undefined) standing.score = asScore(model, override.score)
  moveTier(run, account, standing, override, cause, previousScore)
  const values = triggerValues(standing)
  for (const trigger of model.triggers) stepTrigger(run, account, standing, trigger, values, override, cause)
  for (const alert of model.alerts) stepAlert(run, account, standing, alert, values, cause)
}

function isInScope(
  { scope }: ModelDefinition,
  accountId: string,
  features: ReadonlyMap<string, Value>,
): boolean {
  const lists = ({ ids, when }: AccountList) =>
    ids.includes(accountId) || (when !== undefined && resultOf(when.expression, features) === true)
  const isIncluded = scope.include === undefined || lists(scope.include)
  const isExcluded = scope.exclude !== undefined && lists(scope.exclude)
  return isIncluded && !isExcluded
}

/** Choice: the score is rounded first, then cut, like the score of the rules. */
function asScore({ score: { min, max, decimals } }: ModelDefinition, value: number): number {
  return cut(roundTo(value, decimals), min, max)
}

function moveTier(
  run: Run,
  account: Account,
  standing: Standing,
  override: SlowOverride | undefined,
  cause: Cause,
  previousScore: number,
): void {
  const model = standing.active.definition
  const target = nextTier(account, standing, override)
  if (target.name === standing.tier) return
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
    ...(target.queue !== undefined && { queue: target.queue }),
    at: account.clock,
    cause,
    contributions: standing.contributions,
  })
  standing.tier = target.name
  standing.enteredAt = account.clock
}

/** Choice: a tier that the model does not have is ignored, as if the override named none. */
function nextTier(account: Account, standing: Standing, override: SlowOverride | undefined): TierDefinition {
  const { tiers, tierPolicy } = standing.active.definition
  const decided = tiers.find(({ name }) => name === override?.tier)
  const reached = tiers.findLast(({ from }) => from <= standing.score) ?? tiers[0]!
  if (!standing.inScope) return tiers[0]!
  if (decided !== undefined) return decided
  if (override?.score !== undefined) return reached
  const present = tiers.find(({ name }) => name === standing.tier)
  if (present === undefined) return reached
  if (account.clock - standing.enteredAt < tierPolicy.dwellMs) return present
  const goesDown = tiers.indexOf(reached) < tiers.indexOf(present)
  // Choice: the edge is rounded like scores are, so that 1.1 less a margin of 0.2 is 0.9. Below the margin an
  // account falls to the tier of its score; the margins of the tiers between do not matter.
  return goesDown && standing.score >= round6(present.from - tierPolicy.margin) ? present : reached
}

function stepTrigger(
  run: Run,
  account: Account,
  standing: Standing,
  trigger: TriggerDefinition,
  values: ReadonlyMap<string, Value>,
  override: SlowOverride | undefined,
  cause: Cause,
): void {
  const { clock } = account
  const state = standing.triggers.get(trigger.name)!
  const met = standing.inScope && resultOf(trigger.when.expression, values) === true
  const open = override?.hold !== true && gatesOpen(standing, trigger.gates)
  const emit = (status: PqlStatus, pqlId: string, of: Cause): void => {
    const event = pqlEvent(account, standing, trigger, status, pqlId, of)
    run.events.push(event)
    if (state.status !== 'idle') return
    const model = standing.active.definition
    run.leads.push({ event, model, csm: csmOf(account, model) })
  }
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

function gatesOpen({ active, features }: Standing, names: readonly string[]): boolean {
  return active.definition.gates
    .filter(({ name }) => names.includes(name))
    .every(gate => resultOf(gate.open.expression, features) ?? gate.missing === 'open')
}

/** The value of the model's CSM key, if there is such a key and the value is a text. */
export function csmOf(account: Account, { kpis }: ModelDefinition): string | undefined {
  const key = kpis?.csmKey
  const value = key === undefined ? undefined : latestFact(momentOf(account), key)?.value
  return typeof value === 'string' ? value : undefined
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

/** The account leaves the model: as if it were out of scope from now on. */
export function leave(run: Run, account: Account, standing: Standing, cause: Cause): void {
  const model = standing.active.definition
  const previousScore = standing.score
  standing.inScope = false
  standing.score = asScore(model, 0)
  moveTier(run, account, standing, undefined, cause, previousScore)
  const values = triggerValues(standing)
  for (const trigger of model.triggers) {
    if (standing.triggers.get(trigger.name)!.status !== 'idle')
      stepTrigger(run, account, standing, trigger, values, undefined, cause)
  }
}

export function pqlEvent(
  account: Account,
  standing: Standing,
  trigger: TriggerDefinition,
  status: PqlStatus,
  pqlId: string,
  cause: Cause,
): PqlEvent {
  const model = standing.active.definition
  const values = triggerValues(standing)
  const confidence = amountOf(trigger.confidence, values)
  const estimatedValue = amountOf(trigger.estimatedValue, values)
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
    reasons: [fillReason(trigger.reason, values)],
    evidence: evidenceOf(standing, trigger.when),
    play: trigger.play,
    decisionTimeline: trigger.decisionTimeline,
    ...(trigger.offer !== undefined && { offer: trigger.offer }),
    ...(confidence !== undefined && { confidence: cut(round6(confidence), 0, 1) }),
    ...(estimatedValue !== undefined && { estimatedValue: Math.max(0, roundTo(estimatedValue, 2)) }),
    at: account.clock,
    cause,
  }
}

/** Choice: an amount that is not finite is unknown, like a feature's. */
function amountOf(formula: Formula | undefined, values: ReadonlyMap<string, Value>): number | undefined {
  const value = formula === undefined ? undefined : resultOf(formula.expression, values)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function evidenceOf({ features }: Standing, when: Formula): PqlEvent['evidence'] {
  const names = namesIn([when.expression]).filter(name => name !== 'score' && name !== 'tier')
  return namedValues(names, features)
}

function stepAlert(
  run: Run,
  account: Account,
  standing: Standing,
  alert: AlertDefinition,
  values: ReadonlyMap<string, Value>,
  cause: Cause,
): void {
  const until = standing.alerts.get(alert.name) ?? Number.NEGATIVE_INFINITY
  const met = standing.inScope && resultOf(alert.when.expression, values) === true
  if (!met || !gatesOpen(standing, alert.gates) || account.clock < until) return
  standing.alerts.set(alert.name, account.clock + alert.frequencyMs)
  run.events.push(alertEvent(account, standing, alert, values, cause))
}

function alertEvent(
  account: Account,
  standing: Standing,
  alert: AlertDefinition,
  values: ReadonlyMap<string, Value>,
  cause: Cause,
): AlertEvent {
  const { id, version } = standing.active.definition
  const { template, assignee, action } = alert
  return {
    type: 'alert',
    id: '',
    accountId: account.accountId,
    modelId: id,
    modelVersion: version,
    alert: alert.name,
    title: alert.title,
    priority: alert.priority,
    recipients: alert.recipients,
    ...(template !== undefined && { template }),
    ...(assignee !== undefined && { assignee }),
    ...(action !== undefined && { action }),
    score: standing.score,
    tier: standing.tier,
    reasons: [fillReason(alert.reason, values)],
    evidence: evidenceOf(standing, alert.when),
    at: account.clock,
    cause,
  }
}

/**
 * Choice: a percentage of a value that is no number is written as without `%`. Braces around an unknown name
 * stay.
 */
function fillReason(reason: string, values: ReadonlyMap<string, Value>): string {
  return reason.replace(/\{([^{}%]+)(%?)\}/g, (whole, name: string, percent: string) => {
    if (!values.has(name)) return whole
    const value = values.get(name)
    if (value === undefined) return 'unknown'
    if (typeof value !== 'number') return String(value)
    return percent === '%' ? `${roundTo(value * 100, 0)}%` : String(roundTo(value, 2))
  })
}
