import { expect, test } from 'vitest'
import type { UpswellError } from '../../src/lib/errors.ts'
import type { PartitionHandler, PartitionSession, Stretch } from '../../src/log/log.ts'
import { createRandom } from '../../src/sample/random.ts'
import { Broker } from '../support/simulation/broker.ts'
import type { Group, Member } from '../support/simulation/group.ts'
import { LogClient } from '../support/simulation/log-client.ts'
import type { CallFaultKind, Operation } from '../support/simulation/plan.ts'
import { Scheduler } from '../support/simulation/scheduler.ts'
import { SimulatedProcess } from '../support/simulation/simulated-process.ts'
import { CORRECT } from '../support/simulation/wiring.ts'

const TOPIC = 'signals'

test('reads stretches of several partitions, a hundred records a call', async () => {
  const world = new ReadingWorld()
  world.append(0, 0, 250)
  world.append(1, 0, 5)
  const stretches = [
    { partition: 1, from: 2, to: 99 },
    { partition: 0, from: 10, to: 240 },
  ]
  expect(await world.read(stretches)).toEqual({ texts: [...numbers(2, 5), ...numbers(10, 240)], end: 'done' })
  expect(world.calls).toMatchObject({ 'log.ranges': 1, 'log.read': 4 })
})

test('skips aborted records, and waits for undecided ones', async () => {
  const world = new ReadingWorld()
  world.append(0, 0, 3)
  world.writeTransaction('abort', ['lost'])
  world.append(0, 3, 5)
  world.writeTransaction('commit', ['kept'])
  expect(await world.read([{ partition: 0, from: 1, to: 100 }])).toEqual({
    texts: [...numbers(1, 5), 'kept'],
    end: 'done',
  })
})

test('skips records of a transaction that nobody ends', async () => {
  const world = new ReadingWorld()
  world.append(0, 0, 3)
  world.writeTransaction(undefined, ['open'])
  expect(await world.read([{ partition: 0, from: 0, to: 100 }])).toEqual({
    texts: numbers(0, 3),
    end: 'done',
  })
  expect(world.scheduler.nowMs).toBeGreaterThan(12_000)
})

test('fails if one of its calls fails, and stops if the process dies in one', async () => {
  const lost = new ReadingWorld({ on: 'log.read', nth: 2, what: 'lost' })
  lost.append(0, 0, 250)
  const stretches = [{ partition: 0, from: 0, to: 250 }]
  expect(await lost.read(stretches)).toEqual({ texts: numbers(0, 100), end: 'LOG_UNAVAILABLE' })
  const crashed = new ReadingWorld({ on: 'log.read', nth: 3, what: 'crash-before' })
  crashed.append(0, 0, 250)
  expect(await crashed.read(stretches)).toEqual({ texts: numbers(0, 200), end: 'under way' })
})

test('recreates topics, and reports a missing topic', async () => {
  const { broker, log, read } = new ReadingWorld()
  broker.append([{ topic: TOPIC, key: 'k', value: 'v' }])
  await log.deleteTopics([TOPIC])
  expect(await log.topics()).toEqual([])
  expect(await read([{ partition: 0, from: 0, to: 1 }])).toEqual({ texts: [], end: 'TOPIC_MISSING' })
  const made = [{ name: TOPIC, partitions: 3 }]
  expect(await log.createTopics(made)).toEqual({ created: [TOPIC], existing: [] })
  expect(await log.createTopics([{ name: TOPIC, partitions: 2 }])).toEqual({
    created: [],
    existing: [TOPIC],
  })
  expect(broker.endOffset(TOPIC, 2)).toBe(0)
})

test('reports the committed offsets of a group', async () => {
  const { broker, log } = new ReadingWorld()
  broker.setOffset('score', TOPIC, 1, 7)
  expect(await log.group('score', TOPIC)).toMatchObject({ isConsuming: false, committed: new Map([[1, 7]]) })
  await log.deleteGroup('score')
  expect(await log.group('score', TOPIC)).toMatchObject({ isConsuming: false, committed: new Map() })
})

test('one process never has two calls for a partition, even if it lost the partition in between', async () => {
  const world = new ReadingWorld()
  world.append(0, 0, 3)
  const members: Member[] = []
  const group = { join: (member: Member) => void members.push(member), leave: () => {} } as unknown as Group
  const log = new LogClient(world.process, world.broker, new Map([['score', group]]), CORRECT)
  const open: PartitionSession[] = []
  const most = { calls: 0, sessions: 0 }
  let letGo = (): void => {}
  const handler: PartitionHandler = {
    assigned: async session => {
      open.push(session)
      most.calls += 1
      most.sessions = Math.max(most.sessions, open.length)
      // The first call takes until long after its generation.
      if (most.calls === 1) await new Promise<void>(resolve => (letGo = resolve))
      return 0
    },
    process: async () => {},
    released: session => void open.splice(open.indexOf(session), 1),
  }
  void log.consume({ group: 'score', topics: [TOPIC], handler, batchSize: 1 })
  const topicPartition = { topic: TOPIC, partition: 0 }
  const settle = async () => {
    await new Promise(resolve => setImmediate(resolve))
    while (await world.scheduler.step());
  }
  await settle()
  for (const [generation, share] of [[topicPartition], [], [topicPartition]].entries()) {
    members[0]!.assigned(generation + 1, share)
    await settle()
  }
  expect(most).toEqual({ calls: 1, sessions: 1 })
  letGo()
  await settle()
  expect(most).toEqual({ calls: 2, sessions: 1 })
  expect(open).toHaveLength(1)
})

test('a partition begins at the first offset that retention has kept', async () => {
  const { broker, append, read } = new ReadingWorld()
  append(0, 0, 10)
  broker.deleteBefore(TOPIC, 0, 4)
  expect(await read([{ partition: 0, from: 0, to: 6 }])).toEqual({ texts: ['4', '5'], end: 'done' })
  expect(() => broker.fetch(TOPIC, 0, 3, 10, false)).toThrow('begins at 4')
  expect(broker.committedRecords(TOPIC, 0)).toHaveLength(10)
})

test('compaction keeps the newest record of each key in its range, and every undecided record', async () => {
  const world = new ReadingWorld()
  const { broker, read } = world
  const values = async () => (await read([{ partition: 0, from: 0, to: 100 }])).texts
  const send = (key: string, value: string) => broker.append([{ topic: TOPIC, partition: 0, key, value }])
  for (const [key, value] of ['a1', 'b1', 'a2', 'b2', 'a3']) send(key!, `${key}${value}`)
  broker.compact(TOPIC, 0, 3)
  expect(await values()).toEqual(['b1', 'a2', 'b2', 'a3'])
  world.writeTransaction(undefined, ['open'])
  send('b', 'b3')
  broker.compact(TOPIC, 0, 100)
  expect(broker.compactedTo(TOPIC, 0)).toBe(5)
  expect(await values()).toEqual(['b2', 'a3'])
})

/** One process and the log that it reads. */
class ReadingWorld {
  readonly scheduler = new Scheduler()
  readonly broker: Broker
  readonly log: LogClient
  readonly process: SimulatedProcess
  readonly calls: Partial<Record<Operation, number>> = {}

  constructor(fault?: { readonly on: Operation; readonly nth: number; readonly what: CallFaultKind }) {
    const { scheduler, calls } = this
    this.broker = new Broker({
      now: () => scheduler.nowMs,
      marker: write => scheduler.after(500, write),
      timeout: () => {},
    })
    this.broker.createTopic(TOPIC, 2)
    this.process = new SimulatedProcess('reader', {
      scheduler,
      random: createRandom('log-client', 1),
      faultOf: operation => {
        const nth = (calls[operation] ?? 0) + 1
        calls[operation] = nth
        return operation === fault?.on && nth === fault.nth ? fault.what : undefined
      },
      trace: () => {},
      wallMs: () => scheduler.nowMs,
      died: () => {},
      froze: () => {},
    })
    this.log = new LogClient(this.process, this.broker, new Map(), CORRECT)
  }

  readonly append = (partition: number, from: number, to: number): void => {
    this.broker.append(numbers(from, to).map(value => ({ topic: TOPIC, partition, key: 'k', value })))
  }

  /** Writes to partition 0. The markers follow. */
  writeTransaction(how: 'commit' | 'abort' | undefined, texts: readonly string[]): void {
    const id = texts.join()
    const { epoch } = this.broker.initProducer(id, true) as { epoch: number }
    this.broker.produce(
      id,
      epoch,
      texts.map(value => ({ topic: TOPIC, partition: 0, key: 'k', value })),
    )
    if (how !== undefined) this.broker.endTransaction(id, epoch, how)
  }

  /** Reads until nothing happens any more. */
  readonly read = async (stretches: readonly Stretch[]): Promise<{ texts: string[]; end: string }> => {
    const texts: string[] = []
    let end = 'under way'
    const reading = async (): Promise<void> => {
      for await (const { value } of this.log.read(TOPIC, stretches)) texts.push(`${value}`)
    }
    reading().then(
      () => {
        end = 'done'
      },
      (error: UpswellError) => {
        end = error.code
      },
    )
    while (await this.scheduler.step());
    return { texts, end }
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${from + i}`)
}
