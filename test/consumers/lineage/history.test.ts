import { expect, test } from 'vitest'
import { modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { sourcesOf } from './make-log.ts'
import { foldLog, namespaceOf, published, publishedOf, statesOf, storedAccounts } from './read-lineage.ts'

const DAY_MS = 86_400_000

test('a live signal of one account leaves the others in history, whatever partitions the replay has', async () => {
  const installation = new Installation({ seed: 3, partitions: 1, batchSize: 20, checkpoints: false })
  const { broker } = installation
  const start = Date.UTC(2026, 0, 5)
  const use = (account: number, time: number, clock: 'event' | 'wall'): void => {
    const signal: Signal = {
      id: `s-${account}-${time}`,
      kind: 'usage',
      name: 'seat.invited',
      accountId: `a-${account}`,
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: time,
    }
    broker.append([signalRecord(TOPICS.signals, signal, time, clock)])
  }
  const later = start + 10 * DAY_MS
  installation.wallMs = later
  installation.configured = sourcesOf(installation, 6)
  const tick = { slice: 0, of: 1, scope: 'all', clock: 'wall' } as const
  for (const [models, time] of [
    [0, start],
    [6, later],
  ] as const) {
    if (time === later) use(0, later - 1, 'wall')
    broker.append([
      modelsRecord(TOPICS.signals, 0, time, sourcesOf(installation, models)),
      tickRecord(TOPICS.signals, 0, time, tick),
    ])
    for (let i = 0; i < 24 && time === start; i++) use(i % 8, start + i * 60_000, 'event')
  }
  try {
    installation.start()
    const origin = { topic: TOPICS.signals, partitions: 1, namespace: LINEAGE_NAMES.namespace }
    await installation.begin({ name: 'v2', origin, from: null, to: null, models: null }, 4)
    installation.start({ type: 'replay', name: 'v2' })
    await installation.untilAtRest(['v2'])
    const live = foldLog(installation, TOPICS.signals)
    expect(live.events.length).toBeGreaterThan(8)
    expect(published(installation, topicsOf('v2'))).toEqual(publishedOf(live.events))
    expect(statesOf(await storedAccounts(installation, namespaceOf('v2')))).toEqual(statesOf(live.accounts))
  } finally {
    await installation.stopAll()
  }
})
