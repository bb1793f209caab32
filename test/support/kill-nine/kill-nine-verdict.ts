import type { Backend } from '../../../src/consumers/backend.ts'
import type { LogRecord, OutgoingRecord } from '../../../src/log/log.ts'
import { SOURCE_TOPICS, type TopicNames, type TopicRole } from '../../../src/log/topic-names.ts'
import { DUE_BUCKETS } from '../../../src/scoring/due-slices.ts'
import { CounterChanges } from '../../../src/scoring/population/counters.ts'
import type { PartitionWrite } from '../../../src/store/store.ts'
import { EVENT_TOPICS } from '../event-topics.ts'
import { slowEvaluate, withoutIds } from '../slow/slow-evaluator.ts'
import { type FoldContext, foldPlainly, historyOf, type PlainFold } from './kill-nine-fold.ts'
import type { Acknowledged } from './kill-nine-load.ts'

/** One line for each problem. There must be none. */
export type Problems = string[]

const MOST_LINES = 8
const MOST_LENGTH = 2_000

/** Every committed record of each topic. */
export type Topics = ReadonlyMap<string, readonly LogRecord[]>

export async function readTopics({ log }: Backend, topics: TopicNames): Promise<Topics> {
  const read = new Map<string, readonly LogRecord[]>()
  for (const topic of Object.values(topics)) {
    const records: LogRecord[] = []
    for await (const record of log.readAll(topic)) records.push(record)
    read.set(topic, records)
  }
  return read
}

export function byPartition(records: readonly LogRecord[], partitions: number): LogRecord[][] {
  const lists = Array.from({ length: partitions }, (): LogRecord[] => [])
  for (const record of records) lists[record.partition]!.push(record)
  return lists
}

// ---- The way in ----

/** Acknowledged records must be at their acknowledged offsets. */
export function checkAcknowledged(read: Topics, acknowledged: readonly Acknowledged[]): Problems {
  const values = new Map<string, string>()
  for (const [topic, records] of read)
    for (const { partition, offset, value } of records)
      values.set(`${topic}/${partition}@${offset}`, String(value))
  return acknowledged
    .filter(({ topic, partition, offset, value }) => values.get(`${topic}/${partition}@${offset}`) !== value)
    .map(({ topic, partition, offset }) => `${topic}/${partition}@${offset} was acknowledged but is missing`)
}

/** Every record of the source topics must be in the log or in dead-letter, once. */
export function checkIngested(read: Topics, topics: TopicNames): Problems {
  const sent: string[] = []
  for (const role of Object.keys(SOURCE_TOPICS) as (keyof typeof SOURCE_TOPICS)[])
    for (const { value } of read.get(topics[role])!) sent.push(String(value))
  const arrived = read
    .get(topics.signals)!
    .map(({ value }) => String(value))
    .filter(value => value.startsWith('{"id":"source-'))
  const sources = new Set(Object.keys(SOURCE_TOPICS).map(role => topics[role as TopicRole]))
  const rejected = read
    .get(topics['dead-letter'])!
    .filter(({ headers }) => sources.has(String(headers['upswell-topic'])))
    .map(({ value }) => String(value))
  return compareCounts('ingest', sent, [...arrived, ...rejected])
}

function compareCounts(what: string, wanted: readonly string[], found: readonly string[]): Problems {
  const counts = new Map<string, number>()
  for (const value of wanted) counts.set(value, (counts.get(value) ?? 0) + 1)
  for (const value of found) counts.set(value, (counts.get(value) ?? 0) - 1)
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(([value, count]) => `${what}: ${Math.abs(count)} × ${count > 0 ? 'lost' : 'too often'}: ${value}`)
}

// ---- The way out ----

/**
 * Published records must equal the plain fold's: the same bytes and headers, in the same order for each key.
 */
export function checkOutputs(read: Topics, topics: TopicNames, folds: readonly PlainFold[]): Problems {
  const wanted = folds.flatMap(({ outputs }) => outputs)
  const problems: Problems = []
  for (const role of [...EVENT_TOPICS, 'dead-letter'] as const) {
    const topic = topics[role]
    const found = read
      .get(topic)!
      .filter(({ headers }) => role !== 'dead-letter' || String(headers['upswell-topic']) === topics.signals)
    problems.push(
      ...compareByKey(role, textsByKey(wanted.filter(each => each.topic === topic)), textsByKey(found)),
    )
  }
  return problems
}

function textsByKey(records: readonly (LogRecord | OutgoingRecord)[]): Map<string, string[]> {
  const byKey = new Map<string, string[]>()
  for (const { key, value, headers, timestamp } of records) {
    const texts = Object.entries(headers ?? {}).map(([name, text]) => `${name}=${text}`)
    // Dead letters have the log's own time.
    const time = 'ce_id' in (headers ?? {}) ? `@${timestamp}` : ''
    byKey.set(String(key), [
      ...(byKey.get(String(key)) ?? []),
      [String(value), time, ...texts.sort()].join(' '),
    ])
  }
  return byKey
}

function compareByKey(
  what: string,
  wanted: ReadonlyMap<string, readonly string[]>,
  found: ReadonlyMap<string, readonly string[]>,
): Problems {
  const problems: Problems = []
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [all, here] = [wanted.get(key) ?? [], found.get(key) ?? []]
    const index = all.findIndex((text, i) => text !== here[i])
    if (index < 0 && all.length === here.length) continue
    const at = index < 0 ? all.length : index
    const counts = compareCounts(`${what} of ${key}`, all, here)
    problems.push(
      ...counts,
      `${what} of ${key}: ${all.length} expected, ${here.length} found; number ${at + 1} is\n  ${here[at]}\n  expected\n  ${all[at]}`,
    )
  }
  return problems
}

/** No id may occur twice in a topic that publishes each thing once. */
export function checkIds(read: Topics, topics: TopicNames): Problems {
  const problems: Problems = []
  for (const role of EVENT_TOPICS) {
    const seen = new Set<string>()
    for (const { headers } of read.get(topics[role])!) {
      const id = String(headers['ce_id'])
      if (seen.has(id)) problems.push(`${role}: ${id} occurs twice`)
      seen.add(id)
    }
  }
  return problems
}

/** The last record of `account-scores` must have every account's score. */
export function checkLatestScores(read: Topics, topics: TopicNames, folds: readonly PlainFold[]): Problems {
  const latest = new Map(
    read.get(topics['account-scores'])!.map(({ key, value }) => [String(key), String(value)]),
  )
  const problems: Problems = []
  for (const { id, standings } of folds.flatMap(({ accounts }) => [...accounts.values()])) {
    const wanted = standings.map(({ model: { definition }, score, tier }) =>
      [definition.id, score, definition.tiers[tier]!.name].join(' '),
    )
    const scores: { modelId: string; score: number; tier: string }[] = JSON.parse(
      latest.get(id) ?? '{"scores":[]}',
    ).scores
    const found = scores.map(({ modelId, score, tier }) => [modelId, score, tier].join(' '))
    if (found.join() !== wanted.join()) problems.push(`account-scores of ${id}: ${found}, not ${wanted}`)
  }
  return problems
}

/** The plain fold must agree with the slow evaluator, which shares no code with it. */
export function checkRules(
  context: FoldContext,
  lists: readonly (readonly LogRecord[])[],
  folds: readonly PlainFold[],
): Problems {
  const problems: Problems = []
  for (const [partition, records] of lists.entries()) {
    const slow = withoutIds(slowEvaluate(historyOf(context, records)).events).map(event =>
      JSON.stringify(event),
    )
    const fast = withoutIds(folds[partition]!.events).map(event => JSON.stringify(event))
    const index = slow.findIndex((event, i) => event !== fast[i])
    if (slow.length !== fast.length || index >= 0)
      problems.push(
        `rules, partition ${partition}: ${slow.length} events by the slow evaluator, ${fast.length} by the fold; number ${index + 1} is\n  ${fast[index]}\n  expected\n  ${slow[index]}`,
      )
  }
  return problems
}

// ---- The store ----

/**
 * The store must hold the plain fold's writes: states, users, indexes, counters, the partition's memory, the
 * stored offset.
 */
export async function checkStore({ store }: Backend, folds: readonly PlainFold[]): Promise<Problems> {
  const problems: Problems = []
  const counters = new CounterChanges()
  for (const [partition, { write }] of folds.entries()) {
    counters.addAll(write.counters)
    const note = (what: string) => problems.push(`store, partition ${partition}: ${what}`)
    const stored = await store.readPartition(partition)
    if (stored.storedOffset !== write.storedOffset)
      note(`watermark ${stored.storedOffset}, not ${write.storedOffset}`)
    if (!isSame(stored.state, write.state)) note('another memory')
    const accounts = [...write.accounts].sort((a, b) => (a.accountId < b.accountId ? -1 : 1))
    const ids = accounts.map(({ accountId }) => accountId)
    const found = await store.due(partition, allBuckets(), Number.POSITIVE_INFINITY)
    if (found.join() !== ids.join()) note(`accounts ${found}, not ${ids}`)
    const states = await store.load(partition, ids)
    for (const [i, { accountId, bytes }] of accounts.entries())
      if (!isSame(states[i], bytes)) note(`different state of ${accountId}`)
    const chunks = await store.loadUserChunks(partition, write.userChunks)
    for (const [i, { accountId, bytes }] of write.userChunks.entries())
      if (bytes === undefined ? chunks[i] !== undefined : !isSame(chunks[i], bytes))
        note(`different users or ids of ${accountId}`)
    for (const { accountId, dueAt, bucket } of accounts) {
      const due = await store.due(partition, [bucket], dueAt ?? Number.POSITIVE_INFINITY)
      const earlier = await store.due(partition, [bucket], (dueAt ?? Number.POSITIVE_INFINITY) - 1)
      const isRight =
        due.includes(accountId) && (dueAt === Number.POSITIVE_INFINITY || !earlier.includes(accountId))
      if (!isRight) note(`${accountId} is not due at ${dueAt}`)
    }
  }
  const books = new Map<string, Map<string, number>>()
  for (const { book, field, delta } of counters.list())
    books.set(book, (books.get(book) ?? new Map<string, number>()).set(field, delta))
  const found = await store.readCounters([...books.keys()])
  for (const [i, [book, wanted]] of [...books].entries())
    if (sorted(found[i]!) !== sorted(wanted))
      problems.push(`store: book ${book} is ${sorted(found[i]!)}, not ${sorted(wanted)}`)
  return [
    ...problems,
    ...(await checkListings(
      { store },
      folds.map(({ write }) => write),
    )),
  ]
}

async function checkListings(
  { store }: Pick<Backend, 'store'>,
  writes: readonly PartitionWrite[],
): Promise<Problems> {
  const lists = new Map<string, Map<string, string>>()
  const tiers = new Set<string>()
  for (const { list, tier, score, accountId } of writes.flatMap(({ accounts }) =>
    accounts.flatMap(({ listingsAdded }) => listingsAdded),
  )) {
    tiers.add(tier)
    lists.set(list, (lists.get(list) ?? new Map<string, string>()).set(accountId, `${tier} ${score}`))
  }
  const problems: Problems = []
  for (const [list, wanted] of lists) {
    const query = {
      list,
      tiers: [...tiers],
      order: 'lowest-first',
      minScore: undefined,
      after: undefined,
    } as const
    const page = await store.list({ ...query, limit: wanted.size + 100 })
    const listings = page.map(({ accountId, tier, score }) => `${accountId}=${tier} ${score}`).sort()
    const wantedListings = [...wanted].map(([accountId, listing]) => `${accountId}=${listing}`).sort()
    problems.push(...compareCounts(`list ${list}`, wantedListings, listings))
  }
  return problems
}

function allBuckets(): number[] {
  return Array.from({ length: DUE_BUCKETS }, (_, bucket) => bucket)
}

function isSame(found: Uint8Array | undefined, wanted: Uint8Array | undefined): boolean {
  return found !== undefined && wanted !== undefined && Buffer.compare(found, wanted) === 0
}

function sorted(book: ReadonlyMap<string, number>): string {
  return JSON.stringify([...book].filter(([, count]) => count !== 0).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The first problems, and how many there are. */
export function brief(problems: Problems): Problems {
  const first = problems
    .slice(0, MOST_LINES)
    .map(problem => (problem.length > MOST_LENGTH ? `${problem.slice(0, MOST_LENGTH)} …` : problem))
  return problems.length > first.length ? [...first, `… and ${problems.length - first.length} more`] : first
}

export function folded(context: FoldContext, lists: readonly (readonly LogRecord[])[]): PlainFold[] {
  return lists.map((records, partition) => foldPlainly(context, partition, records))
}
