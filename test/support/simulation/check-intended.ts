import type { LogRecord } from '../../../src/log/log.ts'
import { CLOCK_HEADER, RECORD_HEADER } from '../../../src/log/signals-topic-records.ts'
import { ID_LIMITS } from '../../../src/scoring/activity/id-limits.ts'
import { isOfBurst } from './burst.ts'
import { foldPlainly, type PlainFold } from './plain-fold.ts'
import { SWITCHES, type Switches } from './plans/switches.ts'
import { TOPICS } from './topics.ts'
import type { World } from './world.ts'

const DAY_MS = 86_400_000
/** Some tests make it small. */
const MOST_IDS = ID_LIMITS.chunks * ID_LIMITS.perChunk
/** Ticks of a plan are up to a day ahead. */
const MOST_AHEAD_MS = 2 * DAY_MS

/** Checks the rules whose switch is on, and that only some kinds of plans try. */
export function checkIntended(
  world: World,
  folds: readonly PlainFold[],
  switches: Switches = SWITCHES,
): string[] {
  const { kind } = world.plan
  return [
    ...(switches.retriesCountOnce && kind === 'retry' ? findCountedTwice(folds) : []),
    ...(switches.historyChangesNoOther && kind === 'history' ? findChangedByHistory(world, folds) : []),
    ...(switches.clocksAreTrusted && kind === 'clocks' ? findAhead(world) : []),
  ]
}

/** Each signal of a burst counts once, however often it was sent, if the account has room for the ids. */
function findCountedTwice(folds: readonly PlainFold[]): string[] {
  return folds.flatMap(({ accounts, history }) => {
    const ids = new Map<string, Set<string>>()
    for (const record of history) {
      if (!('signal' in record) || !isOfBurst(record.signal.accountId)) continue
      const { accountId, id } = record.signal
      const own = ids.get(accountId) ?? new Set()
      ids.set(accountId, own.add(id))
    }
    return Array.from(ids, ([accountId, own]) => {
      let counted = 0
      for (const series of accounts.get(accountId)!.activity.series.list)
        for (let i = 0; i < series.length; i++) counted += series.count(i)
      return counted === own.size || own.size > MOST_IDS
        ? []
        : [`${accountId} counts ${counted} signals of ${own.size}`]
    }).flat()
  })
}

/** Without the history, the other accounts are as they are with it. */
function findChangedByHistory(world: World, folds: readonly PlainFold[]): string[] {
  return folds.flatMap(({ accounts, history }, partition) => {
    const records = world.broker.committedRecords(TOPICS.signals, partition).map(({ record }) => record)
    const without = foldPlainly(
      records.filter(record => !isHistory(record)),
      world.library,
      world.plan.partitions,
    )
    const loaded = new Set<string>()
    const historic = records.filter(record => isHistory(record)).map(({ key }) => String(key))
    for (const accountId of historic) loaded.add(accountId)
    if (history.length === 0) return []
    return [...accounts.values()].flatMap(({ id, standings }) => {
      if (loaded.has(id)) return []
      const text = (of: typeof standings): string =>
        JSON.stringify(of.map(({ model, score, tier }) => [model.definition.id, score, tier]))
      const [is, must] = [text(standings), text(without.accounts.get(id)?.standings ?? [])]
      return is === must ? [] : [`${id} has ${is} beside history, and ${must} without it`]
    })
  })
}

/** Signals of history, and ticks that are only for history. */
function isHistory({ headers, value }: LogRecord): boolean {
  if (headers[CLOCK_HEADER] !== undefined) return true
  return String(headers[RECORD_HEADER]) === 'tick' && JSON.parse(String(value)).clock === 'event'
}

function findAhead(world: World): string[] {
  return Array.from({ length: world.plan.partitions }, (_, partition) =>
    world.broker.committedRecords(TOPICS.signals, partition).flatMap(({ record, writtenAt }) => {
      const aheadMs = record.timestamp - writtenAt
      // Poisoned records say any time.
      if (aheadMs <= MOST_AHEAD_MS || String(record.key) === 'poisoned') return []
      return [`signals/${partition}/${record.offset} is ${Math.round(aheadMs / DAY_MS)} days ahead`]
    }),
  ).flat()
}
