import { parseRfc3339 } from '../../signals/rfc3339.ts'
import { isActivityKind, type PropertyValue, type Signal, type SignalKind } from '../../signals/signal.ts'
import { DAY_MS, dayOfDate } from '../../signals/time.ts'
import type { RawExample, RawGiven } from '../raw-model.ts'

const DEFAULT_TIME = Date.UTC(2026, 5, 30, 12)
const DEFAULT_ACCOUNT = 'example'

/** The moment of an example in ms, from an RFC 3339 time or a date; undefined if the text is neither. */
export function exampleTime(text: string | undefined): number | undefined {
  if (text === undefined) return DEFAULT_TIME
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return parseRfc3339(text)
  const day = dayOfDate(text)
  return day === undefined ? undefined : day * DAY_MS
}

export function exampleAccount(raw: RawExample): string {
  return raw.account ?? DEFAULT_ACCOUNT
}

/** The days on which an entry has signals, in days ago: `3` is one day, `0-29` is thirty. */
export function daysGiven({ daysAgo = 0 }: RawGiven): number[] {
  if (typeof daysAgo === 'number') return [daysAgo]
  const [from, to] = daysAgo.split('-').map(Number) as [number, number]
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

/** How many signals one entry makes. */
export function signalCount(raw: RawGiven): number {
  return daysGiven(raw).length * (raw.times ?? 1) * (raw.users ?? 1)
}

/** The kind, name and properties of an entry's signals. */
export function contentOf(raw: RawGiven): Pick<Signal, 'kind' | 'name' | 'properties'> {
  for (const kind of ['usage', 'intent', 'outcome'] as const) {
    const name = raw[kind]
    if (name !== undefined) return { kind, name, properties: { ...raw.properties } }
  }
  const kind = (['traits', 'health', 'contract'] as const).find(each => raw[each] !== undefined)!
  return { kind, name: kind, properties: { ...raw[kind] } satisfies Record<string, PropertyValue> }
}

/**
 * Makes the signals of a checked example, in ascending `occurredAt`. At the same moment facts come first;
 * otherwise the order of the file decides. Signal ids begin with `prefix`.
 */
export function expandSignals(raw: RawExample, at: number, prefix: string): Signal[] {
  const accountId = exampleAccount(raw)
  const signals: Signal[] = []
  for (const given of raw.given) {
    const content = contentOf(given)
    const quantityThousandths = Math.round((given.quantity ?? 1) * 1000)
    for (const daysAgo of daysGiven(given)) {
      const occurredAt = at - Math.round(daysAgo * DAY_MS)
      for (const userId of usersGiven(given)) {
        for (let time = 0; time < (given.times ?? 1); time++) {
          const id = `${prefix}-${signals.length + 1}`
          signals.push({ id, ...content, accountId, userId, quantityThousandths, occurredAt })
        }
      }
    }
  }
  return signals.sort((a, b) => a.occurredAt - b.occurredAt || rank(a.kind) - rank(b.kind))
}

function usersGiven({ user, users }: RawGiven): (string | undefined)[] {
  return users === undefined ? [user] : Array.from({ length: users }, (_, index) => `user-${index + 1}`)
}

function rank(kind: SignalKind): number {
  return isActivityKind(kind) ? 1 : 0
}
