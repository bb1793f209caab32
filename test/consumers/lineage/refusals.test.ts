import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dropReplay } from '../../../src/consumers/lineage/drop-replay.ts'
import { writePromotion } from '../../../src/consumers/lineage/promote.ts'
import type { Replay } from '../../../src/consumers/lineage/replay-record.ts'
import { modelsRecord, promotionRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { sourcesOf } from './make-log.ts'
import { until } from './memory-broker.ts'
import { foldLog, namespaceOf, published, publishedOf } from './read-lineage.ts'

const PARTITIONS = 2
/** The first models, and others. */
const SETS = [0, 2] as const

let installation: Installation
beforeEach(() => {
  installation = new Installation({ seed: 5, partitions: PARTITIONS, batchSize: 20, checkpoints: false })
  installation.wallMs = Date.UTC(2026, 0, 5)
  installation.configured = sourcesOf(installation, SETS[0])
  send(30)
})
afterEach(() => installation.stopAll())

/** Signals of five accounts. */
function send(count: number, topic = TOPICS.signals): void {
  for (let i = 0; i < count; i++) {
    installation.wallMs += 60_000
    const occurredAt = new Date(installation.wallMs).toISOString()
    const accountId = `account-${i % 5}`
    const signal = {
      id: `${installation.wallMs}`,
      kind: 'usage',
      name: 'seat.invited',
      accountId,
      occurredAt,
    }
    installation.broker.append([
      { topic, key: accountId, value: JSON.stringify(signal), timestamp: installation.wallMs },
    ])
  }
}

function replayOf(name: string, change: Partial<Replay> = {}): Replay {
  const origin = { topic: TOPICS.signals, partitions: PARTITIONS, namespace: LINEAGE_NAMES.namespace }
  return { name, origin, from: null, to: null, models: null, ...change }
}

async function replayed(name: string, change: Partial<Replay> = {}, times = 1): Promise<void> {
  const replay = replayOf(name, change)
  await installation.begin(replay, times * replay.origin.partitions)
  const worker = installation.start({ type: 'replay', name })
  await installation.untilAtRest([name])
  await installation.stop(worker)
}

const promote = (name: string) => writePromotion(installation.lineages, name, installation.wallMs)
const drop = (name: string) => dropReplay(installation.lineages, name)
const serves = (name: string) => async () =>
  (await installation.lineages.served()).names.namespace === namespaceOf(name)

describe('promote refuses', () => {
  test('an unknown replay', async () => {
    await expect(promote('nothing')).rejects.toThrow(
      'nothing cannot be promoted: there is no replay of this name',
    )
  })

  test('a replay of part of the log', async () => {
    installation.start()
    await replayed('part', { to: installation.wallMs })
    await replayed('rest', { from: installation.wallMs })
    for (const name of ['part', 'rest'])
      await expect(promote(name)).rejects.toThrow(
        `${name} cannot be promoted: it was begun with --from or --to`,
      )
  })

  test('a replay that is far behind, counting records copied but not scored', async () => {
    installation.start()
    await replayed('v2')
    const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
    const ticks = Array.from({ length: 6_000 }, () => tickRecord('', 0, 1, tick))
    installation.broker.append(ticks.map(record => ({ ...record, topic: TOPICS.signals })))
    installation.broker.append(ticks.map(record => ({ ...record, topic: topicsOf('v2').signals })))
    await expect(promote('v2')).rejects.toThrow(/v2 cannot be promoted: it is 1\d{4} records behind the log/)
  })

  test('a replay that serves, and one of a log that no longer serves', async () => {
    installation.start()
    await replayed('v2')
    await replayed('v3')
    await promote('v2')
    await until('v2 serves', serves('v2'))
    await expect(promote('v2')).rejects.toThrow('v2 cannot be promoted: it serves already')
    await expect(promote('v3')).rejects.toThrow(
      'it reads the log of default, but default/v2 serves now; begin another replay',
    )
  })

  test('a second replay while the first promotion is only written: both would publish', async () => {
    const worker = installation.start()
    await replayed('v2')
    await replayed('v3')
    await installation.stop(worker)
    await promote('v2')
    for (const name of ['v2', 'v3'])
      await expect(promote(name)).rejects.toThrow('the promotion of default/v2 is written already')
    // It cannot be dropped either.
    await expect(drop('v2')).rejects.toThrow('it was promoted')
    // Even if nothing is left but the log.
    installation.store().empty()
    installation.store(namespaceOf('v2')).empty()
    await expect(promote('v3')).rejects.toThrow('the promotion of default/v2 is written already')
    await expect(drop('v2')).rejects.toThrow('it was promoted')
  })

  test('and treats models that are only written as the ones that it replaces', async () => {
    const worker = installation.start()
    await replayed('v2', { models: sourcesOf(installation, SETS[1]) })
    await installation.stop(worker)
    // Other models are configured, and a promotion comes before they are active.
    installation.configured = sourcesOf(installation, 4)
    for (let partition = 0; partition < PARTITIONS; partition++)
      installation.broker.append([
        modelsRecord(TOPICS.signals, partition, installation.wallMs, installation.configured),
      ])
    await promote('v2')
    installation.start()
    await until('v2 serves', serves('v2'))
    send(10, topicsOf('v2').signals)
    await installation.untilAtRest(['v2'])
    const models = installation.broker
      .all(topicsOf('v2').signals)
      .filter(({ headers }) => String(headers['upswell-record']) === 'models')
    // Only the replay's models.
    expect(models.map(({ value }) => String(value))).toEqual(
      Array(PARTITIONS).fill(JSON.stringify(sourcesOf(installation, SETS[1]))),
    )
  })
})

describe('drop', () => {
  test('refuses a replay that is unknown, serves, or has a process at work', async () => {
    await expect(drop('nothing')).rejects.toThrow('nothing is not dropped: there is no replay of this name')
    installation.start()
    await installation.begin(replayOf('v2'), PARTITIONS)
    const worker = installation.start({ type: 'replay', name: 'v2' })
    await installation.untilAtRest(['v2'])
    await expect(drop('v2')).rejects.toThrow(
      /v2 is not dropped: a process works on it \(the group upswell-v2-copy\)/,
    )
    await promote('v2')
    await until('v2 serves', serves('v2'))
    await installation.stop(worker)
    await expect(drop('v2')).rejects.toThrow('v2 is not dropped: it was promoted')
  })

  test('removes the whole replay and nothing else; the name can be used again', async () => {
    installation.start()
    await replayed('v2', { models: sourcesOf(installation, SETS[1]) })
    await replayed('v22')
    const { broker } = installation
    const others = [...broker.topics.keys()].filter(topic => !topic.startsWith('v2.'))
    const before = others.map(topic => broker.all(topic))
    await drop('v2')
    expect([...broker.topics.keys()].sort()).toEqual([...others].sort())
    expect(others.map(topic => broker.all(topic))).toEqual(before)
    expect(await installation.store(namespaceOf('v2')).partitions()).toBeUndefined()
    expect(await installation.store(namespaceOf('v22')).partitions()).toBe(PARTITIONS)
    await expect(drop('v2')).rejects.toThrow('there is no replay of this name')

    send(10)
    await replayed('v2', {}, 3)
    await installation.untilAtRest(['v2'])
    expect(published(installation, topicsOf('v2'))).toEqual(
      publishedOf(foldLog(installation, TOPICS.signals).events),
    )
  })

  test('leaves nothing that a new replay of the name would continue from, wherever it is interrupted', async () => {
    let isThrough = false
    for (let calls = 1; !isThrough; calls++) {
      const own = new Installation({ seed: calls, partitions: 1, batchSize: 20, checkpoints: false })
      installation = own
      own.wallMs = Date.UTC(2026, 0, 5)
      own.configured = sourcesOf(own, SETS[0])
      send(10)
      own.start()
      await own.begin({ ...replayOf('v2'), origin: { ...replayOf('v2').origin, partitions: 1 } }, 1)
      const worker = own.start({ type: 'replay', name: 'v2' })
      await own.untilAtRest(['v2'])
      await own.stop(worker)
      isThrough = await own
        .dying(calls, lineages => dropReplay(lineages, 'v2'))
        .then(
          () => true,
          () => false,
        )
      // Whatever is left must go.
      await drop('v2').catch(error => expect(error.message).toContain('there is no replay of this name'))
      await own.begin({ ...replayOf('v2'), origin: { ...replayOf('v2').origin, partitions: 1 } }, 1)
      own.start({ type: 'replay', name: 'v2' })
      await own.untilAtRest(['v2'])
      expect(published(own, topicsOf('v2'))).toEqual(publishedOf(foldLog(own, TOPICS.signals).events))
      await own.stopAll()
    }
  })
})

describe('begin refuses', () => {
  test.each<[what: string, change: (own: Installation) => Partial<Replay>, message: string]>([
    ['another beginning', () => ({ from: 0 }), 'from: it has none, not 1970-01-01T00:00:00.000Z'],
    ['another end', () => ({ to: 86_400_000 }), 'to: it has none, not 1970-01-02T00:00:00.000Z'],
    ['models if it had none', own => ({ models: sourcesOf(own, 2) }), 'models: it has none, not growth'],
    [
      'another log',
      () => ({ origin: { topic: 'x.signals', partitions: PARTITIONS, namespace: 'default/x' } }),
      'origin: it has signals with 2 partitions, not x.signals with 2 partitions',
    ],
  ])('%s', async (_, change, message) => {
    await installation.begin(replayOf('v2'), PARTITIONS)
    await expect(installation.begin(replayOf('v2', change(installation)), PARTITIONS)).rejects.toThrow(
      message,
    )
  })

  test('another number of partitions, and a number that is not a multiple', async () => {
    await expect(installation.begin(replayOf('v2'), 3)).rejects.toThrow(
      '3 partitions are not a multiple of 2: a multiple is accepted (2, 4, 6, 8, …)',
    )
    await installation.begin(replayOf('v2'), 4)
    await expect(installation.begin(replayOf('v2'), 2)).rejects.toThrow('v2.signals has 4 partitions, not 2')
    await installation.begin(replayOf('v2'), 4)
  })

  test('to copy everything again if the group of the copies was forgotten', async () => {
    installation.start()
    await replayed('v2')
    installation.broker.forget(key => key.startsWith('upswell-v2-copy|'))
    const worker = installation.start({ type: 'replay', name: 'v2' })
    await until('refused', () => worker.process.problem.includes('copying again would count them twice'))
  })
})

describe('beside an installation whose topic prefix is the name of a replay', () => {
  const theirs = topicsOf('staging').signals
  const refusal =
    /staging\.signals is not the log of a replay: the record at \d+:0 .*Another installation may have this topic/
  beforeEach(() => {
    for (const topic of Object.values(topicsOf('staging'))) installation.broker.createTopic(topic, PARTITIONS)
    send(10, theirs)
  })

  test('a replay writes nothing into its log', async () => {
    const before = installation.broker.all(theirs)
    await expect(installation.begin(replayOf('staging'), PARTITIONS)).rejects.toThrow(refusal)
    expect(installation.broker.all(theirs)).toEqual(before)
  })

  test('drop deletes none of its topics', async () => {
    const before = [...installation.broker.topics.keys()]
    await expect(drop('staging')).rejects.toThrow(refusal)
    expect([...installation.broker.topics.keys()]).toEqual(before)
  })
})

test("a foreign record with Upswell's headers goes to one dead-letter and stops nothing", async () => {
  for (const kind of ['tick', 'models', 'promotion', 'promotion'])
    installation.broker.append([
      {
        topic: TOPICS.signals,
        key: 'account-1',
        value: kind === 'tick' ? '{"slice":-1}' : 'no JSON',
        headers: { 'upswell-record': kind },
        timestamp: installation.wallMs,
      },
    ])
  installation.broker.append([
    {
      ...promotionRecord(TOPICS.signals, 0, 1, { namespace: 'x', replacedModels: [] }),
      value: '{"namespace":1}',
    },
  ])
  send(10)
  installation.start()
  await replayed('v2', {}, 2)
  expect(installation.broker.all(TOPICS['dead-letter']).length).toBe(5)
  expect(installation.broker.all(topicsOf('v2')['dead-letter']).length).toBe(5)
})
