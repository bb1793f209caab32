import { isDeepStrictEqual } from 'node:util'
import { accountScoresRecord } from '../../../src/log/account-scores-record.ts'
import type { LogRecord, OutgoingRecord } from '../../../src/log/log.ts'
import { eventRecord } from '../../../src/log/output-records.ts'
import { SOURCE_TOPICS, type SourceTopic } from '../../../src/log/topic-names.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { encodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { EVENT_TOPICS } from '../event-topics.ts'
import { slowEvaluate, withoutIds } from '../slow/slow-evaluator.ts'
import { checkIntended } from './check-intended.ts'
import { compareCheckpoints } from './compare-checkpoints.ts'
import type { StoreContents } from './journaled-store.ts'
import { foldPlainly, type PlainFold } from './plain-fold.ts'
import { TOPICS } from './topics.ts'
import type { World } from './world.ts'

export interface Found {
  /** Empty if all is right. */
  readonly problems: readonly string[]
  readonly outputs: number
  readonly records: number
  readonly comparedWithSlow: number
  /** How many complete checkpoints were compared. */
  readonly checkpoints: number
  /** How often a partition was restored from one. */
  readonly restores: number
}

/** Compares everything that the run left with a plain fold of its committed `signals`. */
export async function check(world: World): Promise<Found> {
  const problems: string[] = [...world.problems]
  const folds = Array.from({ length: world.plan.partitions }, (_, partition) =>
    foldPlainly(recordsOf(world, TOPICS.signals, partition), world.library, world.plan.partitions),
  )
  let outputs = 0
  let records = 0
  let comparedWithSlow = 0
  for (const [partition, fold] of folds.entries()) {
    outputs += fold.events.length
    records += fold.history.length
    problems.push(...compareContents(partition, world.store.contents(partition), fold.contents))
    if (!fold.isMonotone) continue
    comparedWithSlow += 1
    problems.push(...compareWithSlow(partition, fold))
  }
  for (const topic of EVENT_TOPICS) problems.push(...compareOutputs(world, TOPICS[topic], folds))
  problems.push(...compareLatestScores(world, folds))
  if (!world.wasMovedBack) problems.push(...findRepeatedScores(world))
  problems.push(...checkDeadLetters(world, folds))
  problems.push(...checkIngest(world))
  problems.push(...checkIntended(world, folds))
  const compared = await compareCheckpoints(world)
  problems.push(...compared.problems)
  const { checkpoints } = compared
  return { problems, outputs, records, comparedWithSlow, checkpoints, restores: world.restores }
}

function recordsOf(world: World, topic: string, partition: number): LogRecord[] {
  return world.broker.committedRecords(topic, partition).map(({ record }) => record)
}

function recordsOfTopic(world: World, topic: string): LogRecord[] {
  const partitions = world.broker.partitions(topic)
  return Array.from({ length: partitions }, (_, partition) => recordsOf(world, topic, partition)).flat()
}

// ---- The store ----

function compareContents(partition: number, found: StoreContents, expected: StoreContents): string[] {
  const problems: string[] = []
  for (const key of new Set([...found.keys(), ...expected.keys()])) {
    const [is, must] = [contentOf(found, key), contentOf(expected, key)]
    if (is !== must)
      problems.push(`the store's partition ${partition}: ${key} is ${cut(is)}, expected ${cut(must)}`)
  }
  return problems
}

/**
 * A restore also writes the memory of a partition that has nothing to remember. A partition without a record
 * may never have had an owner.
 */
function contentOf(contents: StoreContents, key: string): string | undefined {
  const text = contents.get(key)
  if (key === 'storedOffset' && text === '0') return undefined
  return key === 'state' && text === EMPTY_STATE ? undefined : text
}

const EMPTY_STATE = Buffer.from(encodePartitionMemory(createPartitionMemory(), new ModelLibrary())).toString()

function cut(text: string | undefined): string {
  if (text === undefined) return 'missing'
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

function compareWithSlow(partition: number, fold: PlainFold): string[] {
  const fast = withoutIds(fold.events.map(({ event }) => event))
  const slow = withoutIds(slowEvaluate(fold.history).events)
  if (isDeepStrictEqual(fast, slow)) return []
  const at = fast.findIndex((event, i) => !isDeepStrictEqual(event, slow[i]))
  return [
    `partition ${partition}: the plain fold and the slow evaluator differ: ${fast.length} and ${slow.length} events; ` +
      `first ${JSON.stringify(fast[at])} and ${JSON.stringify(slow[at === -1 ? fast.length : at])}`,
  ]
}

// ---- Outputs ----

/** Each event once, in order per account, byte for byte. */
function compareOutputs(world: World, topic: string, folds: readonly PlainFold[]): string[] {
  const expected = new Map<string, string[]>()
  for (const [partition, { events }] of folds.entries()) {
    for (const { offset, event } of events) {
      const record = eventRecord(TOPICS, event, `${partition}:${offset}`)
      if (record.topic === topic) add(expected, event.accountId, outgoingText(record))
    }
  }
  const found = new Map<string, string[]>()
  for (const record of recordsOfTopic(world, topic)) {
    const account = String(record.key)
    const text = recordText(record)
    // After an operator moves the group back, events come again, with the same ids, if the store was behind.
    if (world.wasMovedBack && found.get(account)?.includes(text)) continue
    add(found, account, text)
  }
  const problems: string[] = []
  for (const account of new Set([...expected.keys(), ...found.keys()])) {
    const [is, must] = [found.get(account) ?? [], expected.get(account) ?? []]
    if (isDeepStrictEqual(is, must)) continue
    const at = must.findIndex((text, i) => text !== is[i])
    problems.push(
      `${topic} of ${account}: ${is.length} records, expected ${must.length}; first difference at ${at}: ` +
        `${cut(is[at === -1 ? must.length : at])} instead of ${cut(must[at])}`,
    )
  }
  return problems
}

function add<K>(lists: Map<K, string[]>, key: K, text: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [text])
  else list.push(text)
}

function outgoingText({ key, value, headers, timestamp }: OutgoingRecord): string {
  return JSON.stringify([String(key), String(value), headers, timestamp])
}

function recordText({ key, value, headers, timestamp }: LogRecord): string {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]))
  return JSON.stringify([String(key), String(value), texts, timestamp])
}

/** The last record of each account in the compacted topic must agree with its state, in every field. */
function compareLatestScores(world: World, folds: readonly PlainFold[]): string[] {
  const latest = new Map<string, LogRecord>()
  for (const record of recordsOfTopic(world, TOPICS['account-scores'])) latest.set(String(record.key), record)
  const problems: string[] = []
  for (const { accounts } of folds) {
    for (const account of accounts.values()) {
      const is = scoresOf(latest.get(account.id)?.value)
      const must = scoresOf(accountScoresRecord(TOPICS, account, '').value)
      if (is !== must) problems.push(`account-scores of ${account.id} ends with ${is}, expected ${must}`)
    }
  }
  return problems
}

/** Without the id and the time: an account may be touched and stay as it is. */
function scoresOf(value: LogRecord['value'] | string | undefined): string {
  return value == null ? '[]' : JSON.stringify((JSON.parse(String(value)) as { scores: unknown[] }).scores)
}

/**
 * No record of the compacted topic may repeat the account's previous record. If earlier models return, so may
 * a record, with another one between.
 */
function findRepeatedScores(world: World): string[] {
  const last = new Map<string, string>()
  return recordsOfTopic(world, TOPICS['account-scores']).flatMap(({ key, headers, offset }) => {
    const [account, id] = [String(key), String(headers['ce_id'])]
    if (last.get(account) === id) return [`account-scores of ${account}: ${id} is repeated at ${offset}`]
    last.set(account, id)
    return []
  })
}

// ---- Unusable records, and ingest ----

/** Every unusable record of `signals` must be in `dead-letter`, once. */
function checkDeadLetters(world: World, folds: readonly PlainFold[]): string[] {
  const expected = folds.flatMap(({ rejected }, partition) =>
    rejected.map(offset => `${TOPICS.signals}/${partition}/${offset}`),
  )
  let found = recordsOfTopic(world, TOPICS['dead-letter'])
    .map(positionOf)
    .filter(position => position.startsWith(`${TOPICS.signals}/`))
  if (world.wasMovedBack) found = [...new Set(found)]
  const [is, must] = [found.sort(), expected.sort()]
  return isDeepStrictEqual(is, must) ? [] : [`dead-letter has ${is.join(' ')}, expected ${must.join(' ')}`]
}

function positionOf({ headers }: LogRecord): string {
  return ['upswell-topic', 'upswell-partition', 'upswell-offset'].map(name => headers[name]).join('/')
}

/**
 * Every source record must be in `signals` or in `dead-letter`, once. Records of an account keep the order of
 * their partition.
 */
function checkIngest(world: World): string[] {
  const problems: string[] = []
  const dead = new Set(recordsOfTopic(world, TOPICS['dead-letter']).map(positionOf))
  const must = new Map<string, string[]>()
  for (const source of Object.keys(SOURCE_TOPICS) as SourceTopic[]) {
    for (const record of recordsOfTopic(world, TOPICS[source])) {
      const position = `${record.topic}/${record.partition}/${record.offset}`
      if (!dead.delete(position))
        add(must, `${SOURCE_TOPICS[source]} of ${accountOf(record)}`, String(record.value))
    }
  }
  for (const position of dead)
    if (!position.startsWith(`${TOPICS.signals}/`)) problems.push(`dead-letter: ${position}`)
  const is = new Map<string, string[]>()
  for (let partition = 0; partition < world.plan.partitions; partition++) {
    for (const { record, writer } of world.broker.committedRecords(TOPICS.signals, partition)) {
      if (!writer?.startsWith('ingest-')) continue
      const { kind } = JSON.parse(String(record.value)) as { kind: string }
      add(is, `${kind} of ${record.key}`, String(record.value))
    }
  }
  for (const key of new Set([...must.keys(), ...is.keys()]))
    if (!isDeepStrictEqual(is.get(key), must.get(key)))
      problems.push(
        `ingest: ${key}: ${is.get(key)?.length} signals, expected ${must.get(key)?.length}, in order`,
      )
  return problems
}

/** Ingest uses the account in the value, whatever key the source wrote. */
function accountOf({ value }: LogRecord): string {
  return (JSON.parse(String(value)) as { accountId: string }).accountId
}
