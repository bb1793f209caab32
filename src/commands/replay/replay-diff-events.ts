import { type ComparedPqlEvent, type ComparedTierChange, RunComparison } from '../../analysis/compare-runs.ts'
import type { BySide, RunDiff, TimeWindow } from '../../analysis/run-diff.ts'
import { UpswellError } from '../../lib/errors.ts'
import type { Log, LogRecord } from '../../log/log.ts'
import type { TopicNames } from '../../log/topic-names.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import { type Progress, progressBar } from '../progress-bar.ts'

const SIDES = ['live', 'replay'] as const
/** Read for the newest score: more than one, because markers and aborted records take offsets too. */
const LAST_RECORDS = 100

/**
 * Reads the output topics of both lineages one after the other, and compares them. `models`: the replay's
 * own; null: those that the log names.
 * @throws UpswellError LOG_UNAVAILABLE; INPUT_UNREADABLE: a topic holds another kind of record
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

// Where the comparison ends: at the earliest of these.
//
//   the replay's own end     if it has one: the replay has passed the time up to there
//   the newest live output   scores count too: a model may qualify nobody for weeks
//   the newest replay output only if the replay has no end

/** The end of the comparison, ms; null if neither lineage has published anything. */
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

/**
 * An event as schemas/tier-change.schema.json and schemas/pql-event.schema.json describe it; times become ms.
 */
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
    `${topic} partition ${partition} offset ${offset} is not an event that Upswell published; no other records are accepted there`,
  )
}
