import { type ComparedPqlEvent, type ComparedTierChange, RunComparison } from '../../analysis/compare-runs.ts'
import type { BySide, RunDiff, TimeWindow } from '../../analysis/run-diff.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import { type Progress, progressBar } from '../progress-bar.ts'

const SIDES = ['live', 'replay'] as const
/** Looked at for the newest score: markers and aborted records take offsets too. */
const LAST_RECORDS = 100

/**
 * Reads what both have published, one topic after the other, and compares it. `models`: those that the replay brought with it; null: those of the log.
 * @throws UpswellError LOG_UNAVAILABLE; INPUT_UNREADABLE: a topic holds something else
 */
export async function compareTopics(
  log: Log,
  topics: BySide<TopicNames>,
  window: TimeWindow,
  models: readonly ModelDefinition[] | null,
): Promise<RunDiff> {
  const comparison = new RunComparison(window)
  const existing = new Set(await log.topics())
  const roles = ['tier-changes', 'pql-events'] as const
  const toRead = roles
    .flatMap(role => SIDES.map(side => ({ role, side, topic: topics[side][role] })))
    .filter(({ topic }) => existing.has(topic))
  const bar = progressBar(
    'comparing',
    'events',
    await countRecords(
      log,
      toRead.map(({ topic }) => topic),
    ),
  )
  try {
    const done = { events: 0 }
    for (const { role, side, topic } of toRead) {
      for await (const value of eventsOf(log, topic, bar, done)) {
        if (role === 'tier-changes') comparison.addTierChange(side, value as ComparedTierChange)
        else comparison.addPqlEvent(side, value as ComparedPqlEvent)
      }
    }
  } finally {
    bar.stop()
  }
  const tiers = models && new Map(models.map(({ id, tiers }) => [id, tiers.map(({ name }) => name)] as const))
  const end = await commonEnd(log, topics, existing, comparison, window)
  return comparison.finish(end, { tiers })
}

/**
 * Where the comparison ends: as far as both runs have come, and with the replay's own end. Their scores count too, as a model that qualifies nobody for weeks
 * has come that far all the same. A replay that has an end has let time pass until there, even if what is live stands still in loaded history. Null: neither has
 * published anything.
 */
async function commonEnd(
  log: Log,
  topics: BySide<TopicNames>,
  existing: ReadonlySet<string>,
  comparison: RunComparison,
  { from, to }: TimeWindow,
): Promise<number | null> {
  const ends: number[] = to === null ? [] : [to]
  for (const side of to === null ? SIDES : (['live'] as const)) {
    const scores = topics[side]['account-scores']
    const scored = existing.has(scores) ? await newestScore(log, scores) : undefined
    const known = [comparison.newest(side), scored].filter(time => time !== undefined)
    if (known.length > 0) ends.push(Math.max(...known) + 1)
  }
  return ends.length === 0 ? null : Math.max(from ?? Number.NEGATIVE_INFINITY, Math.min(...ends))
}

/** The newest time among the last records of each partition, ms. Undefined: there are none. */
async function newestScore(log: Log, topic: string): Promise<number | undefined> {
  const stretches = [...(await log.ranges(topic))].map(([partition, { end }]) => ({
    partition,
    from: Math.max(0, end - LAST_RECORDS),
    to: end,
  }))
  let newest: number | undefined
  for await (const { timestamp } of log.read(topic, stretches))
    newest = Math.max(newest ?? timestamp, timestamp)
  return newest
}

async function countRecords(log: Log, topics: readonly string[]): Promise<number> {
  let count = 0
  for (const topic of topics)
    for (const { first, end } of (await log.ranges(topic)).values()) count += end - first
  return count
}

type ReadEvent = ComparedTierChange | ComparedPqlEvent

async function* eventsOf(
  log: Log,
  topic: string,
  bar: Progress,
  done: { events: number },
): AsyncGenerator<ReadEvent> {
  for await (const record of log.readAll(topic)) {
    bar.update(++done.events)
    if (record.value !== null) yield readEvent(record, record.value)
  }
}

/** Of the contracts in schemas/tier-change.schema.json and schemas/pql-event.schema.json; times become ms. */
function readEvent({ topic, partition, offset }: LogRecord, value: Buffer): ReadEvent {
  try {
    const event = JSON.parse(value.toString()) as Omit<ReadEvent, 'at'> & { readonly at: string }
    const at = Date.parse(event.at)
    if (!Number.isNaN(at)) return { ...event, at } as ReadEvent
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new UpswellError(
    'INPUT_UNREADABLE',
    `${topic} partition ${partition} offset ${offset} is no event of Upswell's; only what it published itself is accepted there`,
  )
}
