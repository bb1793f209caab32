import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Lineage } from '../../../src/consumers/lineage/lineage.ts'
import { LineagePublication } from '../../../src/consumers/lineage/lineage-publication.ts'
import { writePromotion } from '../../../src/consumers/lineage/promote.ts'
import {
  modelsRecord,
  promotionRecord,
  signalRecord,
  tickRecord,
} from '../../../src/log/signals-topic-records.ts'
import type { ModelSource } from '../../../src/models/model-library.ts'
import { decodePartitionMemory, encodePartitionMemory } from '../../../src/models/partition-memory-codec.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { atLeast, model, trigger } from '../../support/small-histories.ts'
import { expectPromoted } from './expect-promoted.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { until } from './memory-broker.ts'
import { foldLog, namespaceOf, published, storedAccounts } from './read-lineage.ts'

const DAY_MS = 86_400_000
/** In each model, this many uses make an account hot, and a PQL. */
const MODELS = [2, 4, 6].map((uses, i) =>
  model({
    version: i + 1,
    tiers: [
      { name: 'cold', title: 'Cold', from: 0, action: '', queue: undefined },
      { name: 'hot', title: 'Hot', from: uses, action: '', queue: undefined },
    ],
    triggers: [trigger({ when: atLeast('used', uses), cooldownMs: DAY_MS, expiryMs: 20 * DAY_MS })],
  }),
)

let installation: Installation
beforeEach(() => {
  installation = new Installation({ seed: 9, partitions: 1, batchSize: 20, checkpoints: false })
  installation.wallMs = Date.UTC(2026, 0, 5)
  installation.configured = [source(0)]
})
afterEach(() => installation.stopAll())

function source(i: number): ModelSource {
  return installation.library.sourceFor(MODELS[i]!)
}

/** Uses by accounts `a-0`, `a-1` and so on: the first once, the next twice, … */
function send(accounts: number, clock: 'wall' | 'event' = 'wall', topic = TOPICS.signals): void {
  for (let uses = 0; uses < accounts; uses++)
    for (let account = uses; account < accounts; account++) {
      installation.wallMs += 60_000
      const signal: Signal = {
        id: `s-${installation.wallMs}`,
        kind: 'usage',
        name: 'seat.invited',
        accountId: `a-${account}`,
        userId: undefined,
        quantityThousandths: 1000,
        properties: {},
        occurredAt: installation.wallMs,
      }
      installation.broker.append([signalRecord(topic, signal, installation.wallMs, clock)])
    }
}

async function follow(name: string, models: readonly ModelSource[] | null, times = 1): Promise<void> {
  const served = (await installation.lineages.served()).names
  const topic = served.topics.signals
  const partitions = installation.broker.partitions(topic)
  const origin = { topic, partitions, namespace: served.namespace }
  await installation.begin({ name, origin, from: null, to: null, models }, times * partitions)
  installation.start({ type: 'replay', name })
  await installation.untilAtRest([name])
}

async function promote(name: string): Promise<void> {
  await writePromotion(installation.lineages, name, installation.wallMs)
  await until(`${name} serves`, serves(name))
}

const serves = (name: string) => async () =>
  (await installation.lineages.served()).names.namespace === namespaceOf(name)

const modelsIn = (name: string): string[] =>
  installation.broker
    .all(topicsOf(name).signals)
    .filter(({ headers }) => String(headers['upswell-record']) === 'models')
    .map(({ value }) => String(value))

describe('a promoted lineage', () => {
  test('announces its accounts once when a tick of the wall clock finds them due while history is loaded', async () => {
    send(6, 'event')
    installation.start()
    await follow('v2', [source(1)])
    const { broker } = installation
    const { contentHash } = installation.library.compile(source(0))
    const promotion = { namespace: namespaceOf('v2'), replacedModels: [contentHash] }
    const tick = { slice: 0, of: 1, scope: 'due', clock: 'wall' } as const
    const time = installation.wallMs + 100 * DAY_MS
    broker.append([
      promotionRecord(TOPICS.signals, 0, installation.wallMs, promotion),
      tickRecord(TOPICS.signals, 0, time, tick),
      tickRecord(TOPICS.signals, 0, time, tick),
    ])
    await until('v2 serves', serves('v2'))
    await installation.untilAtRest(['v2'])
    await expectPromoted(installation, 'v2', true)
    // Four differed: hot in one model and cold in the other, or with a PQL of another version.
    expect([...published(installation, TOPICS).keys()].sort().length).toBeGreaterThan(4)
  })

  test("announces nothing while the previous lineage's store is incomplete", async () => {
    send(3)
    installation.start()
    await follow('v2', [source(1)])
    const { broker, library } = installation
    const lineage: Lineage = {
      names: { namespace: namespaceOf('v2'), topics: topicsOf('v2'), group: 'upswell-v2' },
      servedTopics: TOPICS,
      origin: { topic: TOPICS.signals, partitions: 1, store: installation.store() },
    }
    const offset = broker.log(topicsOf('v2').signals)[0]!.length
    const memory = {
      ...createPartitionMemory(),
      promotion: { offset, namespace: namespaceOf('v2'), replacedModels: [], isComplete: false },
    }
    const accounts = await storedAccounts(installation, namespaceOf('v2'))
    await installation.stopAll()
    const refused = { code: 'STORE_MOVED', canRetry: true }
    const publication = new LineagePublication(lineage, library)
    const announce = () =>
      publication.announce(
        0,
        publication.unannounced(memory, () => accounts.values()),
      )
    const store = installation.store()
    store.empty()
    await expect(announce()).rejects.toMatchObject(refused)
    // The store is being filled from a checkpoint: the partition's memory comes first, its accounts and the
    // stored offset last.
    await store.fence(0, 'filling')
    const state = encodePartitionMemory({ ...memory, promotion: { ...memory.promotion, offset: 3 } }, library)
    const nothing = { accounts: [], userChunks: [], counters: [] }
    await store.save(0, {
      ...nothing,
      fencingToken: 'filling',
      expectedStoredOffset: 0,
      storedOffset: 0,
      state,
    })
    await expect(announce()).rejects.toMatchObject(refused)
    await store.save(0, {
      ...nothing,
      fencingToken: 'filling',
      expectedStoredOffset: 0,
      storedOffset: 4,
      state,
    })
    expect((await announce()).length).toBe(accounts.size)
    // Without accounts there is no need to ask.
    expect(await publication.announce(0, [])).toEqual([])
  })

  test('is not replaced by another until it has announced all of its accounts', async () => {
    send(3)
    installation.start()
    await follow('v2', [source(1)])
    await promote('v2')
    await installation.untilAtRest(['v2'])
    await follow('v3', [source(2)])
    await installation.stopAll()
    const store = installation.store(namespaceOf('v2'))
    const { storedOffset, state } = await store.readPartition(0)
    const memory = decodePartitionMemory(state, installation.library)
    await store.fence(0, 'test')
    await store.save(0, {
      fencingToken: 'test',
      expectedStoredOffset: storedOffset,
      storedOffset,
      state: encodePartitionMemory(
        { ...memory, promotion: { ...memory.promotion!, isComplete: false } },
        installation.library,
      ),
      accounts: [],
      userChunks: [],
      counters: [],
    })
    await expect(writePromotion(installation.lineages, 'v3', 1)).rejects.toThrow(
      'v3 cannot be promoted: default/v2 has not announced all of its accounts',
    )
  })

  test('keeps its models while the replaced ones are still configured, and switches to a third set', async () => {
    send(6)
    const first = installation.start()
    await follow('v2', [source(1)], 2)
    await promote('v2')
    send(6, 'wall', topicsOf('v2').signals)
    await installation.untilAtRest(['v2'])
    const own = JSON.stringify([source(1)])
    expect(modelsIn('v2')).toEqual([own, own])
    await expectPromoted(installation, 'v2', true)

    // Its own models.
    await installation.stop(first)
    for (const worker of installation.workers) await installation.stop(worker)
    installation.configured = [source(1)]
    const second = installation.start()
    await installation.untilAtRest(['v2'])
    expect(modelsIn('v2')).toEqual([own, own])

    await installation.stop(second)
    installation.configured = [source(2)]
    installation.start()
    await installation.untilAtRest(['v2'])
    const third = JSON.stringify([source(2)])
    expect(modelsIn('v2').sort()).toEqual([own, own, third, third].sort())
    await expectPromoted(installation, 'v2', true)
  })

  test('completes a switch of models that was under way, as the old lineage would have', async () => {
    send(6)
    const worker = installation.start()
    await follow('v2', null, 2)
    await installation.stop(worker)
    // Written, but without the ticks that bring the accounts there.
    installation.configured = [source(1)]
    installation.broker.append([
      modelsRecord(TOPICS.signals, 0, installation.wallMs + 1_000, installation.configured),
    ])
    await writePromotion(installation.lineages, 'v2', installation.wallMs)
    installation.start()
    await until('v2 serves', serves('v2'))
    send(3, 'event', topicsOf('v2').signals)
    send(3)
    await installation.untilAtRest(['v2'])
    await expectPromoted(installation, 'v2', false)
    const { accounts } = foldLog(installation, topicsOf('v2').signals)
    for (const { standings } of accounts.values())
      expect(standings.map(({ model: { definition } }) => definition.version)).toEqual([2])
  })

  test('is found again when only the log is left', async () => {
    send(6)
    installation.start()
    await follow('v2', [source(1)], 2)
    await promote('v2')
    await installation.untilAtRest(['v2'])
    installation.store(LINEAGE_NAMES.namespace).empty()
    installation.store(namespaceOf('v2')).empty()
    send(3)
    send(3, 'wall', topicsOf('v2').signals)
    await installation.untilAtRest(['v2'])
    const lineage = await installation.dying(Number.POSITIVE_INFINITY, anew => anew.served())
    expect(lineage.names.namespace).toBe(namespaceOf('v2'))
    await expectPromoted(installation, 'v2', true)
  })
})
