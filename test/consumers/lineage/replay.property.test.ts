import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Replay } from '../../../src/consumers/lineage/replay-record.ts'
import type { LogRecord } from '../../../src/log/log.ts'
import { recordKind } from '../../../src/log/own-records.ts'
import { modelsRecord } from '../../../src/log/signals-topic-records.ts'
import { MODEL_SETS } from '../../support/simulation/model-sets.ts'
import { checkProperty } from './check-property.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { arbitraryLog, type LogPlan, lastModels, sourcesOf, stepsOf } from './make-log.ts'
import {
  countersOf,
  foldLog,
  namespaceOf,
  published,
  publishedOf,
  statesOf,
  storedAccounts,
} from './read-lineage.ts'

vi.setConfig({ testTimeout: 300_000 })

const NAME = 'v2'

function replayOf(partitions: number, change: Partial<Replay> = {}): Replay {
  const origin = { topic: TOPICS.signals, partitions, namespace: LINEAGE_NAMES.namespace }
  return { name: NAME, origin, from: null, to: null, models: null, ...change }
}

function append(installation: Installation, plan: LogPlan): void {
  for (const { records, time } of stepsOf(installation, plan)) {
    installation.wallMs = Math.max(installation.wallMs, time)
    installation.broker.append(records)
  }
}

const arbitraryRun = fc.record({
  seed: fc.nat(),
  partitions: fc.constantFrom(1, 2, 3),
  times: fc.constantFrom(1, 2, 4),
  batchSize: fc.constantFrom(1, 7, 100),
  checkpoints: fc.boolean(),
  mostCalls: fc.constantFrom(20, 100, 1_000),
  plan: arbitraryLog(120),
})

type Run = Parameters<Parameters<typeof arbitraryRun.map>[0]>[0]

/** Scores a log and a replay of it, with processes that die, until both are at rest. */
async function score(run: Run, replayOfRun: (installation: Installation) => Replay): Promise<Installation> {
  const { partitions, times, plan, mostCalls } = run
  const installation = new Installation(run)
  installation.configured = lastModels(installation, plan)
  append(installation, plan)
  await installation.begin(replayOfRun(installation), partitions * times)
  installation.mostCalls = mostCalls
  installation.start()
  installation.start({ type: 'replay', name: NAME })
  installation.start({ type: 'replay', name: NAME })
  await sleep(100)
  installation.calmDown()
  try {
    await installation.untilAtRest([NAME])
    return installation
  } finally {
    await installation.stopAll()
  }
}

test('a replay without models publishes the same events and reaches the same state, whatever its partitions and however often its processes die', async () => {
  await checkProperty(arbitraryRun, async run => {
    const installation = await score(run, () => replayOf(run.partitions))
    const live = foldLog(installation, TOPICS.signals)
    expect(published(installation, TOPICS)).toEqual(publishedOf(live.events))
    expect(published(installation, topicsOf(NAME))).toEqual(publishedOf(live.events))
    const states = statesOf(live.accounts)
    expect(statesOf(await storedAccounts(installation, LINEAGE_NAMES.namespace))).toEqual(states)
    expect(statesOf(await storedAccounts(installation, namespaceOf(NAME)))).toEqual(states)
    expect(await countersOf(installation, namespaceOf(NAME))).toEqual(
      await countersOf(installation, LINEAGE_NAMES.namespace),
    )
    expect(installation.broker.all(topicsOf(NAME)['dead-letter']).length).toBe(live.rejected)
  })
})

test('a replay of part of the log, or with its own models, equals an installation that never had anything else', async () => {
  const arbitraryPart = fc.record({
    run: arbitraryRun,
    from: fc.option(fc.nat(100)),
    length: fc.option(fc.nat(100)),
    models: fc.option(fc.nat(MODEL_SETS.length - 1)),
  })
  await checkProperty(arbitraryPart, async ({ run, from, length, models }) => {
    const { history } = run.plan
    const timeAt = (index: number): number => history[index % history.length]!.timestamp
    const start = from === null ? null : timeAt(from)
    const to = length === null ? null : Math.max(start ?? 0, timeAt(length))
    const installation = await score(run, own =>
      replayOf(run.partitions, {
        from: start,
        to,
        models: models === null ? null : sourcesOf(own, models),
      }),
    )
    const { broker } = installation
    const wanted = (record: LogRecord): boolean => {
      const { timestamp } = record
      const isBefore = to === null || timestamp < to
      switch (recordKind(record)) {
        case 'models':
          return models === null && isBefore
        case 'live':
          return isBefore
        default:
          return isBefore && (start === null || timestamp >= start)
      }
    }
    // A log with nothing but these records, in as many partitions as before.
    const alone = 'alone.signals'
    broker.createTopic(alone, run.partitions)
    for (let partition = 0; partition < run.partitions; partition++) {
      if (models !== null) broker.append([modelsRecord(alone, partition, 0, sourcesOf(installation, models))])
      for (const { key, value, headers, timestamp, ...record } of broker.records(TOPICS.signals, partition))
        if (wanted({ key, value, headers, timestamp, ...record }))
          broker.append([{ topic: alone, partition, key, value, headers, timestamp }])
    }
    const expected = foldLog(installation, alone)
    expect(published(installation, topicsOf(NAME))).toEqual(publishedOf(expected.events))
    expect(statesOf(await storedAccounts(installation, namespaceOf(NAME)))).toEqual(
      statesOf(expected.accounts),
    )
    expect(installation.broker.all(topicsOf(NAME)['dead-letter']).length).toBe(expected.rejected)
    expect(published(installation, TOPICS)).toEqual(publishedOf(foldLog(installation, TOPICS.signals).events))
    // Each record was copied once to each partition where it belongs.
    const copies = broker
      .all(topicsOf(NAME).signals)
      .map(({ partition, headers }) => `${partition} ${headers['upswell-origin']}`)
      .filter(copy => !copy.endsWith('undefined'))
    expect(new Set(copies).size).toBe(copies.length)
  })
})
