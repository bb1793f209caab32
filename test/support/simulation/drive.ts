import type { OutgoingRecord } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { liveRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import { SOURCE_TOPICS, type SourceTopic } from '../../../src/log/topic-names.ts'
import type { Signal } from '../../../src/signals/signal.ts'
import { LATEST_MS } from '../../../src/signals/time.ts'
import { signalsOf } from './burst.ts'
import type { Action, Poison } from './plan.ts'
import { TOPICS } from './topics.ts'
import type { World } from './world.ts'

const RETRY_MS = 200

/** Performs the steps of the plan in turn. Calls `onDone` after the last, when everything is sent. */
export async function drive(world: World, onDone: () => void): Promise<void> {
  const sends: Promise<void>[] = []
  for (const { pauseMs, leapMs, action } of world.plan.steps) {
    await world.client.sleep(pauseMs)
    world.wallMs += leapMs
    world.trace(() => `${leapMs > 0 ? `the clock leaps ${leapMs} ms; ` : ''}${describe(action)}`)
    const records = perform(world, action)
    if (records.length > 0) sends.push(send(world, records))
  }
  await Promise.all(sends)
  onDone()
}

/**
 * Repeats until the log acknowledges the records. Records that it wrote without an answer are written again.
 */
async function send(world: World, records: readonly OutgoingRecord[]): Promise<void> {
  for (;;) {
    try {
      await world.clientLog.append(records)
      return
    } catch {
      await world.client.sleep(RETRY_MS)
    }
  }
}

/** Performs the action, or returns the records that do it. */
function perform(world: World, action: Action): readonly OutgoingRecord[] {
  const { plan, client, scheduler } = world
  const worker = (number: number) => world.workers[number % world.workers.length]!.process
  switch (action.type) {
    case 'signal':
      return [wayIn(action.signal, action.way, client.now())]
    case 'burst':
      return signalsOf(action.burst).map(signal => signalRecord(TOPICS.signals, signal, client.now()))
    case 'poison':
      return [poison(action.where, action.how, client.now(), plan.partitions)]
    case 'live':
      return everyOf(plan.partitions, partition => liveRecord(TOPICS.signals, partition, 2))
    case 'tick': {
      const scope = action.all ? 'all' : 'due'
      const { clock = 'wall' } = action
      const time = (clock === 'event' ? plan.startMs : client.now()) + action.aheadMs
      return everyOf(action.slices, slice =>
        tickRecord(TOPICS.signals, action.partition % plan.partitions, time, {
          slice,
          of: action.slices,
          scope,
          clock,
        }),
      )
    }
    case 'models':
      world.configure(action.models)
      return []
    case 'rebalance':
      world.rebalance()
      return []
    case 'crash':
      worker(action.worker).die()
      return []
    case 'freeze':
      worker(action.worker).freeze(action.forMs)
      return []
    case 'clock': {
      const affected = worker(action.worker)
      affected.clockErrorMs += action.byMs
      scheduler.after(2_000, () => {
        if (!world.isCalm) affected.clockErrorMs -= action.byMs
      })
      return []
    }
    case 'roll-back':
      world.store.rollBack(action.writes)
      return []
    case 'empty':
      world.store.empty()
      return []
    case 'clear':
      world.clearInPart(action.partition % plan.partitions)
      return []
    case 'compact':
      world.compactCheckpoints(action.partition % plan.partitions, action.share)
      return []
    case 'retention':
      world.deleteSignals(action.partition % plan.partitions, action.share)
      return []
    case 'outage':
      world.beginOutage(action.of, action.forMs)
      return []
    case 'move-back':
      world.moveBack(action.records)
      return []
    default:
      return action satisfies never
  }
}

function everyOf<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function wayIn(signal: Signal, way: 'source' | 'direct' | 'history', now: number): OutgoingRecord {
  const direct = signalRecord(
    TOPICS.signals,
    signal,
    way === 'history' ? signal.occurredAt : now,
    way === 'history' ? 'event' : 'wall',
  )
  // A signal without a source topic goes straight to the log, as from the API.
  const source = sourceFor(signal)
  if (way !== 'source' || source === undefined) return direct
  return { topic: TOPICS[source], key: direct.key, value: direct.value, timestamp: now }
}

function sourceFor({ kind }: Signal): SourceTopic | undefined {
  return (Object.keys(SOURCE_TOPICS) as SourceTopic[]).find(topic => SOURCE_TOPICS[topic] === kind)
}

function poison(where: 'source' | 'signals', how: Poison, now: number, partitions: number): OutgoingRecord {
  const topic = where === 'source' ? TOPICS['product-usage'] : TOPICS.signals
  const value = JSON.stringify({
    id: 'poison',
    kind: 'usage',
    name: 'poison',
    accountId: 'poisoned',
    quantity: 1,
    occurredAt: new Date(how === 'future' ? now + 86_400_000 : now).toISOString(),
  })
  switch (how) {
    case 'not-json':
      return { topic, key: 'poisoned', value: '{"id":', timestamp: now }
    case 'empty':
      return { topic, key: 'poisoned', value: null, timestamp: now }
    case 'wrong-key':
      return { topic, partition: 0, key: 'another', value, timestamp: now }
    case 'wrong-partition': {
      // No partition is wrong in a source topic, or if there is only one.
      if (where === 'source' || partitions === 1)
        return { topic, key: 'poisoned', value: '[]', timestamp: now }
      const partition = (partitionOf('poisoned', partitions) + 1) % partitions
      return { topic, partition, key: 'poisoned', value, timestamp: now }
    }
    case 'no-key':
      return { topic, partition: 0, key: null, value, timestamp: now }
    case 'future':
      return {
        topic,
        partition: 0,
        key: 'poisoned',
        value,
        timestamp: where === 'signals' ? LATEST_MS + 1 : now,
      }
    default:
      return how satisfies never
  }
}

function describe(action: Action): string {
  return action.type === 'signal'
    ? `${action.way} signal ${action.signal.id} ${action.signal.kind} of ${action.signal.accountId}`
    : JSON.stringify(action)
}
