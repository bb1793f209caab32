import { checkSignal, LATEST_MS } from '../signals/parse-signal.ts'
import { isActivityKind } from '../signals/signal.ts'
import { contentOf, daysGiven, exampleAccount, exampleTime, signalCount } from './example-signals.ts'
import { checkExpectation, type ModelNames } from './expectations.ts'
import { describeFound, type Path } from './path.ts'
import type { RawExample, RawGiven } from './raw-model.ts'
import type { Report } from './report.ts'

/** Of one example; a hundred users on every day of a quarter. */
const MAX_SIGNALS = 10_000
/** Of all of a file, which are held in memory together. */
const MAX_SIGNALS_OF_FILE = 100_000
/** An example reaches back 1,000 days at most; no signal is from before 1970. */
const EARLIEST_MS = Date.UTC(1980, 0, 1)
const OF_ACTIVITY = ['quantity', 'user', 'properties', 'times', 'users'] as const

/** Reports what is wrong with examples whose form is right: signals that no source could send, names that the model does not have. */
export function checkExamples(block: unknown, names: ModelNames, report: Report): void {
  if (!Array.isArray(block)) return
  let signals = 0
  block.forEach((example, index) => {
    const path = ['examples', index]
    if (!report.isSound(path)) return
    const raw = example as RawExample
    checkMoment(raw, path, report)
    const before = signals
    raw.given.forEach((given, position) => {
      signals += checkGiven(given, [...path, 'given', position], report)
    })
    if (signals - before > MAX_SIGNALS) {
      const message = `this example makes ${signals - before} signals; at most ${MAX_SIGNALS} are accepted; ask for fewer`
      report.add([...path, 'given'], message, 'key')
    } else if (signals > MAX_SIGNALS_OF_FILE && before <= MAX_SIGNALS_OF_FILE) {
      const message = `the examples up to this one make ${signals} signals; at most ${MAX_SIGNALS_OF_FILE} are accepted; ask for fewer`
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

/** How many signals it makes. */
function checkGiven(raw: RawGiven, path: Path, report: Report): number {
  const content = contentOf(raw)
  for (const key of OF_ACTIVITY) {
    if (isActivityKind(content.kind) || raw[key] === undefined) continue
    const message = `found ${key} beside ${content.kind}; it goes with usage, intent and outcome; take ${key} away`
    report.add([...path, key], message, 'key')
  }
  if (raw.user !== undefined && raw.users !== undefined) {
    const message = 'found users beside user; one names a user, the other makes some; take one away'
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

/** What is wrong with a signal of this content, whoever sends it. */
function signalProblem(content: object): string | undefined {
  const whole = { id: 'any', accountId: 'any', occurredAt: '2026-06-30T12:00:00Z', ...content }
  const checked = checkSignal(whole, { observedAt: LATEST_MS, defaultKind: undefined })
  return 'rejection' in checked ? checked.rejection.detail : undefined
}
