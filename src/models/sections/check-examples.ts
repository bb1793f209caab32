import { suggestName } from '../../lib/nearest-name.ts'
import { checkSignal } from '../../signals/parse-signal.ts'
import { isActivityKind } from '../../signals/signal.ts'
import { LATEST_MS } from '../../signals/time.ts'
import { describeType, fitsType, typeOfValue, type ValueType } from '../expressions/scope.ts'
import type { Report } from '../problems.ts'
import type { RawExample, RawExpectation, RawGiven } from '../raw-model.ts'
import { describeFound, type Path } from '../yaml/path.ts'
import { contentOf, daysGiven, exampleAccount, exampleTime, signalCount } from './example-signals.ts'

/** Limit for one example: room for a hundred users on every day of a quarter. */
const MAX_SIGNALS = 10_000
/** Limit for all examples of a file: their signals are in memory together. */
const MAX_SIGNALS_OF_FILE = 100_000
/** An example reaches back at most 1,000 days, and no signal may be older than 1970. */
const EARLIEST_MS = Date.UTC(1980, 0, 1)
const ACTIVITY_KEYS = ['quantity', 'user', 'properties', 'times', 'users'] as const

/** Checks well-formed examples for impossible signals, and for names that the model does not have. */
export function checkExamples(block: unknown, names: ModelNames, report: Report): void {
  if (!Array.isArray(block)) return
  let signals = 0
  block.forEach((example, index) => {
    const path = ['examples', index]
    if (!report.isWellFormed(path)) return
    const raw = example as RawExample
    checkMoment(raw, path, report)
    const before = signals
    raw.given.forEach((given, position) => {
      signals += checkGiven(given, [...path, 'given', position], report)
    })
    if (signals - before > MAX_SIGNALS) {
      const message = `this example makes ${signals - before} signals; at most ${MAX_SIGNALS} are accepted; reduce days, times or users`
      report.add([...path, 'given'], message, 'key')
    } else if (signals > MAX_SIGNALS_OF_FILE && before <= MAX_SIGNALS_OF_FILE) {
      const message = `the examples up to this one make ${signals} signals; at most ${MAX_SIGNALS_OF_FILE} are accepted; reduce days, times or users`
      report.add([...path, 'given'], message, 'key')
    }
    checkExpectation(raw.expect, [...path, 'expect'], names, report)
  })
}

function checkMoment(raw: RawExample, path: Path, report: Report): void {
  const at = exampleTime(raw.at)
  if (at === undefined || at < EARLIEST_MS || at > LATEST_MS) {
    const accepted = 'a date or RFC 3339 time from 1980 to 2149'
    report.add(
      [...path, 'at'],
      `found ${describeFound(raw.at)}; accepted: ${accepted}; write, for example, 2026-06-30T12:00:00Z`,
    )
  }
  const problem = signalProblem({ accountId: exampleAccount(raw), kind: 'usage', name: 'any' })
  if (problem !== undefined) report.add([...path, 'account'], `${problem}; correct it`)
}

/** Checks one entry and returns the number of signals that it makes. */
function checkGiven(raw: RawGiven, path: Path, report: Report): number {
  const content = contentOf(raw)
  for (const key of ACTIVITY_KEYS) {
    if (isActivityKind(content.kind) || raw[key] === undefined) continue
    const message = `found ${key} beside ${content.kind}; it goes with usage, intent and outcome; remove ${key}`
    report.add([...path, key], message, 'key')
  }
  if (raw.user !== undefined && raw.users !== undefined) {
    const message = 'found users beside user; one names a user, the other makes several; remove one of them'
    report.add([...path, 'users'], message, 'key')
  }
  if (daysGiven(raw).length === 0) {
    const message = `found ${describeFound(raw.daysAgo)}; accepted: the lower number first; swap them`
    report.add([...path, 'daysAgo'], message)
  }
  const problem = signalProblem({ ...content, userId: raw.user, quantity: raw.quantity })
  if (problem !== undefined) report.add(path, `${problem}; correct it`)
  return signalCount(raw)
}

/** The problem of a signal with this content; undefined if it is valid. */
function signalProblem(content: object): string | undefined {
  const whole = { id: 'any', accountId: 'any', occurredAt: '2026-06-30T12:00:00Z', ...content }
  const checked = checkSignal(whole, { observedAt: LATEST_MS, defaultKind: undefined, place: 'edge' })
  return 'rejection' in checked ? checked.rejection.detail : undefined
}

/** All names in a model file, also if their values have problems. */
export interface ModelNames {
  readonly features: ReadonlyMap<string, ValueType>
  readonly groups: readonly string[]
  /** Undefined if the tiers could not be read. */
  readonly tiers: readonly string[] | undefined
  readonly triggers: readonly string[]
  readonly alerts: readonly string[]
}

/** A message lists no more names than this. */
const MAX_LISTED = 10

/** Reports names that the model does not have, and values that a feature cannot have. */
function checkExpectation(raw: RawExpectation, path: Path, names: ModelNames, report: Report): void {
  if (raw.tier !== undefined && names.tiers !== undefined)
    checkKnown(raw.tier, 'tier', names.tiers, [...path, 'tier'], 'value', report)
  const checkList = (key: 'pqls' | 'held' | 'alerts', what: string, accepted: readonly string[]) => {
    raw[key]?.forEach((name, index) => {
      checkKnown(name, what, accepted, [...path, key, index], 'value', report)
    })
  }
  checkList('pqls', 'trigger', names.triggers)
  checkList('held', 'trigger', names.triggers)
  checkList('alerts', 'alert', names.alerts)
  raw.held?.forEach((name, index) => {
    if (!raw.pqls?.includes(name)) return
    const message = `${name} is also in pqls; a PQL is open or held; remove it from one of them`
    report.add([...path, 'held', index], message)
  })
  for (const name of Object.keys(raw.groups ?? {})) {
    checkKnown(name, 'group', names.groups, [...path, 'groups', name], 'key', report)
  }
  for (const [name, value] of Object.entries(raw.features ?? {})) {
    const featurePath = [...path, 'features', name]
    checkKnown(name, 'feature', [...names.features.keys()], featurePath, 'key', report)
    const type = names.features.get(name)
    if (value === null || type === undefined || fitsType(typeOfValue(value), type)) continue
    const message = `found ${describeFound(value)}; ${name} is ${describeType(type)}; expect one, or null for unknown`
    report.add(featurePath, message)
  }
}

function checkKnown(
  name: string,
  what: string,
  names: readonly string[],
  path: Path,
  part: 'key' | 'value',
  report: Report,
): void {
  if (names.includes(name)) return
  const accepted =
    names.length === 0
      ? `none, as the model has no ${what}s`
      : names.length > MAX_LISTED
        ? `a name from ${what}s`
        : names.join(', ')
  const advice = suggestName(name, names, `define it under ${what}s, or remove it`)
  report.add(
    path,
    `${describeFound(name)} is not ${article(what)} ${what}; accepted: ${accepted}; ${advice}`,
    part,
  )
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? 'an' : 'a'
}
