import fc from 'fast-check'
import type { Signal } from '../../../src/signals/signal.ts'
import { DAY_MS } from '../arbitrary/vocabulary.ts'
import { arbitraryHistory, type HistoryOptions } from '../histories.ts'
import type { HistoryRecord, LiveRecord } from '../slow/slow-evaluator.ts'

export type LoadRecord = HistoryRecord | LiveRecord

/** Loaded signals are this much older than live ones, more than any log of `arbitraryHistory` spans. */
const AGO_MS = 600 * DAY_MS
const PREFIX = 'loaded-'

export interface LoadOptions extends HistoryOptions {
  /** Whether history may also come for accounts that are live, where it is late. */
  readonly isLate: boolean
  /** The live log. Default: a random one. */
  readonly live?: fc.Arbitrary<HistoryRecord[]>
}

/**
 * A live log, and between its records loads of history: their signals, ticks with the time of their events,
 * and `live` records. Some live signals are about loaded accounts.
 */
export function arbitraryLoads({ isLate, ...options }: LoadOptions): fc.Arbitrary<LoadRecord[]> {
  return fc
    .record({
      live: options.live ?? arbitraryHistory(options),
      loaded: arbitraryHistory({ ...options, modelChanges: 0 }),
      places: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      runs: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
      ends: fc.array(fc.nat({ max: 100 }), { maxLength: 4 }),
      adopts: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 20 }),
    })
    .map(({ live, loaded, places, runs, ends, adopts }) => {
      const log: LoadRecord[] = live.map((record, i) =>
        'signal' in record && adopts[i % adopts.length] === 0 ? withSignal(record, toLoaded) : record,
      )
      const waiting = loaded.filter(record => !('models' in record)).map(toHistory)
      // In their order, from early in the log to late.
      const sorted = places.map(place => 1 + (place % log.length)).sort((a, b) => a - b)
      let inserted = 0
      for (let i = 0; waiting.length > 0; i++) {
        const run = waiting.splice(0, runs[i % runs.length]!)
        const place = i < sorted.length ? sorted[i]! + inserted : log.length
        log.splice(Math.min(place, log.length), 0, ...run)
        inserted += run.length
      }
      for (const end of ends) log.splice(1 + (end % log.length), 0, { timestamp: 0, live: true })
      return isLate ? log : withoutLateHistory(log)
    })
}

/** The accounts that history was loaded for. */
export function loadedAccounts(log: readonly LoadRecord[]): Set<string> {
  const ids = new Set<string>()
  for (const record of log) if ('signal' in record && record.loaded === true) ids.add(record.signal.accountId)
  return ids
}

function toHistory(record: HistoryRecord): LoadRecord {
  const timestamp = record.timestamp - AGO_MS
  if ('tick' in record) return { timestamp, tick: true, loaded: true }
  return { ...withSignal(record as SignalRecord, toLoaded, AGO_MS), loaded: true }
}

type SignalRecord = Extract<HistoryRecord, { readonly signal: Signal }>

function withSignal(
  { timestamp, signal }: SignalRecord,
  change: (signal: Signal) => Signal,
  agoMs = 0,
): SignalRecord {
  const changed = change(signal)
  const { expiresAt } = changed.properties
  const earlier =
    typeof expiresAt === 'string' ? { expiresAt: new Date(Date.parse(expiresAt) - agoMs).toISOString() } : {}
  return {
    timestamp: timestamp - agoMs,
    signal: {
      ...changed,
      occurredAt: changed.occurredAt - agoMs,
      properties: { ...changed.properties, ...earlier },
    },
  }
}

function toLoaded(signal: Signal): Signal {
  return { ...signal, id: `${PREFIX}${signal.id}`, accountId: `${PREFIX}${signal.accountId}` }
}

/**
 * An account that is not due at a tick keeps its clock, which may be behind that tick. The slow evaluator has
 * no such clocks. They show when a late signal follows, or models that accounts switch at their own clocks.
 */
function withoutLateHistory(log: readonly LoadRecord[]): LoadRecord[] {
  const switches = log.filter(record => 'models' in record).length > 1
  const live = new Set<string>()
  const inHistory = new Set<string>()
  return log.filter(record => {
    if ('live' in record) {
      for (const id of inHistory) live.add(id)
      inHistory.clear()
    } else if ('tick' in record) {
      return record.loaded !== true || !switches
    } else if ('signal' in record) {
      const { accountId } = record.signal
      if (record.loaded === true) {
        if (live.has(accountId)) return false
        inHistory.add(accountId)
      } else {
        inHistory.delete(accountId)
        live.add(accountId)
      }
    }
    return true
  })
}
