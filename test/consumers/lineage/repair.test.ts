import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyRecord } from '../../../src/consumers/lineage/copy-records.ts'
import { writePromotion } from '../../../src/consumers/lineage/promote.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import type { Account } from '../../../src/scoring/account.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { DAY_MS } from '../../../src/signals/time.ts'
import { logRecord } from '../../support/log-record.ts'
import { model } from '../../support/small-histories.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { until } from './memory-broker.ts'
import { namespaceOf, storedAccounts } from './read-lineage.ts'

const START = Date.UTC(2026, 0, 5)
const MINUTE_MS = 60_000
const JUMP_MS = 500 * DAY_MS

let installation: Installation
beforeEach(() => {
  installation = new Installation({ seed: 9, partitions: 1, batchSize: 20, checkpoints: false })
  installation.wallMs = START
  installation.configured = [installation.library.sourceFor(model())]
})
afterEach(() => installation.stopAll())

function signalAt(occurredAt: number): Signal {
  return {
    id: `s-${occurredAt}`,
    kind: 'usage',
    name: 'seat.invited',
    accountId: 'acme',
    userId: undefined,
    quantityThousandths: 1000,
    properties: {},
    occurredAt,
  }
}

/** Appends uses of acme, a minute apart. Their records have a time that is `aheadMs` later. */
function use(count: number, aheadMs = 0, topic = TOPICS.signals): void {
  for (let i = 0; i < count; i++) {
    installation.wallMs += MINUTE_MS
    const { wallMs } = installation
    installation.broker.append([signalRecord(topic, signalAt(wallMs), wallMs + aheadMs)])
  }
}

function tick(time: number): void {
  const slice = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
  installation.broker.append([tickRecord(TOPICS.signals, 0, time, slice)])
}

function countOf({ activity }: Account): number {
  const days = activity.series.get('usage:seat.invited')?.days
  let count = 0
  for (let i = 0; i < (days?.length ?? 0); i++) count += days!.count(i)
  return count
}

const acmeIn = async (namespace: string): Promise<Account> =>
  (await storedAccounts(installation, namespace)).get('acme')!

describe('a copy with a latest time', () => {
  const LATEST = START + DAY_MS
  const tickOf = (scope: 'due' | 'all', time: number) =>
    tickRecord(TOPICS.signals, 0, time, { slice: 0, of: 1, scope, clock: 'wall' })
  const signalOf = (occurredAt: number, time: number) =>
    signalRecord(TOPICS.signals, signalAt(occurredAt), time)
  const FUTURE = START + JUMP_MS

  test.each([
    ['a signal of a later time gets the latest', signalOf(START, FUTURE), 0, LATEST],
    [
      'a signal that occurred later gets the time when it occurred',
      signalOf(LATEST + 5, FUTURE),
      0,
      LATEST + 5,
    ],
    ['a signal of that time keeps it', signalOf(START, LATEST), 0, LATEST],
    ['a signal after the end keeps its time', signalOf(START, FUTURE), 100, FUTURE],
    ['a due tick of a later time is left out', tickOf('due', FUTURE), 0, undefined],
    ['a due tick of that time is copied', tickOf('due', LATEST), 0, LATEST],
    ['a due tick after the end is copied', tickOf('due', FUTURE), 100, FUTURE],
    ['a tick for all accounts gets the latest', tickOf('all', FUTURE), 0, LATEST],
    ['models of a later time get the latest', modelsRecord(TOPICS.signals, 0, FUTURE, []), 0, LATEST],
  ])('%s', (_, record, offset, time) => {
    const origin = { topic: TOPICS.signals, partitions: 1, namespace: LINEAGE_NAMES.namespace }
    const latest = { time: LATEST, ends: [100] }
    const replay = { name: 'v2', origin, from: null, to: null, models: null, latest }
    const target = { replay, topic: 'v2.signals', partitions: 1, namespace: 'v2' }
    const copies = copyRecord(logRecord(0, offset, record), target)
    expect(copies.map(({ timestamp }) => timestamp)).toEqual(time === undefined ? [] : [time])
  })
})

test('a copy with a latest time is whole, also if the fields of the record are getters as those of Kafka', () => {
  const { key, value, headers, headerList, ...rest } = logRecord(
    0,
    0,
    signalRecord(TOPICS.signals, signalAt(START), START + JUMP_MS, 'event'),
  )
  const fetched = Object.create({
    get key() {
      return key
    },
    get value() {
      return value
    },
    get headers() {
      return headers
    },
    get headerList() {
      return headerList
    },
  }) as LogRecord
  const origin = { topic: TOPICS.signals, partitions: 1, namespace: LINEAGE_NAMES.namespace }
  const latest = { time: START, ends: [100] }
  const replay = { name: 'v2', origin, from: null, to: null, models: null, latest }
  const target = { replay, topic: 'v2.signals', partitions: 1, namespace: 'v2' }
  expect(copyRecord(Object.assign(fetched, rest), target)).toMatchObject([
    { key, value, timestamp: START, carriedHeaders: headerList },
  ])
})

test('a replay with a latest time repairs a log into which a clock wrote times of the future', async () => {
  const { broker, lineages } = installation
  installation.start()
  use(3)
  use(1, JUMP_MS)
  tick(START + JUMP_MS)
  use(12)
  await installation.untilAtRest([])
  const broken = await acmeIn(LINEAGE_NAMES.namespace)
  expect(broken.activity.clock).toBeGreaterThan(START + JUMP_MS - DAY_MS)
  // The fourth signal moved the clock, and is too old itself.
  expect([countOf(broken), broken.activity.dropped['too-old']]).toEqual([0, 13])

  const time = installation.wallMs
  const ends = [broker.log(TOPICS.signals)[0]!.length]
  const origin = { topic: TOPICS.signals, partitions: 1, namespace: LINEAGE_NAMES.namespace }
  const latest = { time, ends }
  await installation.begin({ name: 'v2', origin, from: null, to: null, models: null, latest }, 1)
  installation.start({ type: 'replay', name: 'v2' })
  await installation.untilAtRest(['v2'])
  const repaired = await acmeIn(namespaceOf('v2'))
  expect(countOf(repaired)).toBe(16)
  expect(repaired.activity.clock).toBe(time)

  await writePromotion(lineages, 'v2', time)
  await until('v2 serves', async () => (await lineages.served()).names.namespace === namespaceOf('v2'))
  // What came after the replay was begun keeps its time.
  installation.wallMs += 2 * DAY_MS
  use(12)
  await installation.untilAtRest(['v2'])
  const later = await acmeIn(namespaceOf('v2'))
  expect(countOf(later)).toBe(28)
  expect(later.activity.clock).toBeGreaterThan(time + 2 * DAY_MS)
  const times = broker.all(topicsOf('v2').signals).map(({ timestamp }) => timestamp)
  expect(Math.max(...times)).toBeLessThan(time + 4 * DAY_MS)
})
