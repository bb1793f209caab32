import { randomUUID } from 'node:crypto'
import net from 'node:net'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { type KafkaLogOptions, openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { openTransactionWriter } from '../../src/log/kafka/transactions.ts'
import type { Log, PartitionHandler, PartitionSession, RecordList } from '../../src/log/log.ts'
import { all, CopyingHandler, silent, textOf, until } from '../support/log-handlers.ts'
import { describeIntegration } from '../support/servers/integration.ts'

describeIntegration('The Kafka log', ({ kafkaBrokers }) => {
  const connection = { brokers: kafkaBrokers.split(','), clientId: 'test', logger: silent }
  const transactionalIdPrefix = `test-${randomUUID()}`
  let log: Log

  beforeAll(() => {
    log = open()
  })
  afterAll(() => log.close())

  function open(options: Partial<KafkaLogOptions> = {}): Log {
    return openKafkaLog({ ...connection, transactionalIdPrefix, sessionTimeoutMs: 6_000, ...options })
  }

  async function createTopic(partitions: number, config: Record<string, string> = {}): Promise<string> {
    const name = `test-${randomUUID()}`
    await createTopics({ ...connection, topics: [{ name, partitions, config }] })
    return name
  }

  async function appendNumbers(topic: string, from: number, to: number): Promise<void> {
    const numbers = Array.from({ length: to - from }, (_, i) => `${from + i}`)
    await log.append(numbers.map(number => ({ topic, key: number, value: number })))
  }

  it('reassigns the partitions of a group when a member joins and when one leaves', async () => {
    const [input, output] = [await createTopic(4), await createTopic(1)]
    const group = randomUUID()
    const handler = () => new CopyingHandler(output)
    const [one, two] = [open(), open()]
    onTestFinished(() => one.close())
    onTestFinished(() => two.close())

    await appendNumbers(input, 0, 400)
    const first = await one.consume({ group, topics: [input], handler: handler(), batchSize: 10 })
    await until(() => first.assignments().length === 4)
    const second = await two.consume({ group, topics: [input], handler: handler(), batchSize: 10 })
    await appendNumbers(input, 400, 800)
    await until(() => first.assignments().length === 2 && second.assignments().length === 2)
    await appendNumbers(input, 800, 1_200)
    await second.stop()
    await until(() => first.assignments().length === 4)
    await appendNumbers(input, 1_200, 1_600)

    await until(async () => (await all(log, output)).length >= 1_600)
    const copies = (await all(log, output)).map(textOf)
    expect(copies).toHaveLength(1_600)
    expect(new Set(copies).size).toBe(1_600)
  })

  it('reassigns a partition whose handler hangs, and refuses its late commit', async () => {
    const [input, output] = [await createTopic(1), await createTopic(1)]
    const group = randomUUID()
    await appendNumbers(input, 0, 10)
    // kafkajs gives the only partition to the member with the first id. Ids begin with the client's.
    const [slow, fast] = [open({ clientId: 'z' }), open({ clientId: 'a' })]
    onTestFinished(() => fast.close())

    const hanging = new HangingHandler(output)
    await slow.consume({ group, topics: [input], handler: hanging, batchSize: 100 })
    await until(() => hanging.isHolding)
    await fast.consume({ group, topics: [input], handler: new CopyingHandler(output), batchSize: 100 })
    await until(async () => (await all(log, output)).length === 10)

    hanging.letGo()
    expect((await hanging.outcome).code).toBe('LOG_FENCED')
    await slow.close()
    expect(hanging.releases).toBe(1)
    expect(await all(log, output)).toHaveLength(10)
  })

  it('refuses the commit of a worker that was cut off without noticing and returns', async () => {
    const [input, output] = [await createTopic(1), await createTopic(1)]
    const group = randomUUID()
    await appendNumbers(input, 0, 10)
    const wire = holdableSockets()
    onTestFinished(() => wire.restore())
    const [zombie, heir] = [open(), open()]
    onTestFinished(() => heir.close())

    const hanging = new HangingHandler(output)
    await zombie.consume({ group, topics: [input], handler: hanging, batchSize: 100 })
    await until(() => hanging.isHolding)
    wire.hold()
    await heir.consume({ group, topics: [input], handler: new CopyingHandler(output), batchSize: 100 })
    await until(async () => (await all(log, output)).length === 10)

    // As far as it knows, its session is alive: the broker must refuse.
    hanging.letGo()
    wire.release()
    const refusal = await hanging.outcome
    expect(refusal.code).toBe('LOG_FENCED')
    expect(refusal.message).toMatch(/epoch/)
    await zombie.close()
    expect(await all(log, output)).toHaveLength(10)
  })

  it('aborts a transaction that an earlier writer of the same id left open', async () => {
    const topic = await createTopic(1)
    const clients = kafkaClients(connection)
    onTestFinished(() => clients.close())
    const transactionalId = randomUUID()
    let mayCommit = true
    const earlier = await openTransactionWriter(clients.create(), {
      transactionalId,
      // At the second question the records are sent and the commit is not.
      mayCommit: () => {
        if (mayCommit) {
          mayCommit = false
          return true
        }
        throw new Error('died')
      },
    })
    await expect(earlier.write([{ topic, key: null, value: 'lost' }])).rejects.toThrow('died')
    const later = await openTransactionWriter(clients.create(), { transactionalId, mayCommit: () => true })
    await later.write([{ topic, key: null, value: 'kept' }])
    expect((await all(log, topic)).map(textOf)).toEqual(['kept'])
    await expect(earlier.write([{ topic, key: null, value: 'late' }])).rejects.toThrow(UpswellError)
  })

  it('delivers no record of aborted transactions, however they overlap', async () => {
    const topic = await createTopic(1)
    const clients = kafkaClients(connection)
    onTestFinished(() => clients.close())
    const producers = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const producer = clients.create().producer({ transactionalId: randomUUID(), maxInFlightRequests: 1 })
        await producer.connect()
        onTestFinished(() => producer.disconnect())
        return producer
      }),
    )
    const transactions = await Promise.all(producers.map(producer => producer.transaction()))
    const send = (i: number, value: string) => transactions[i]!.send({ topic, messages: [{ value }] })
    // The broker lists aborted transactions in the order in which they ended.
    for (const i of [0, 1, 2, 0, 1, 2]) await send(i, i === 2 ? 'kept' : 'aborted')
    await transactions[1]!.abort()
    await send(0, 'aborted')
    await transactions[0]!.abort()
    await transactions[2]!.commit()
    expect((await all(log, topic)).map(textOf)).toEqual(['kept', 'kept'])
  })

  it.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'reads records that Java compressed: %s',
    async codec => {
      // The broker writes records with the topic's codec, whatever codec they arrive with.
      const topic = await createTopic(1, { 'compression.type': codec })
      const values = Array.from({ length: 3_000 }, (_, i) => `${i}`.padEnd(20 + (i % 100), `value ${i} `))
      await log.append(values.map(value => ({ topic, key: 'k', value, headers: { ce_type: 'usage' } })))
      expect((await all(log, topic)).map(textOf)).toEqual(values)
    },
  )

  it('sends more records at once than a record batch may hold', async () => {
    const topic = await createTopic(1)
    const values = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(100_000, 'x'))
    const positions = await log.append(values.map(value => ({ topic, key: 'k', value })))
    expect((await all(log, topic)).map(textOf)).toEqual(values)
    expect(positions.map(({ offset }) => offset)).toEqual((await all(log, topic)).map(({ offset }) => offset))
  })

  it('appends single records that come together in one request, each to its partition', async () => {
    const topic = await createTopic(3)
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`)
    const positions = await Promise.all(
      keys.map(async key => (await log.append([{ topic, key, value: key }]))[0]!),
    )
    for (const record of await all(log, topic)) {
      const { partition, offset } = record
      expect(positions[keys.indexOf(textOf(record))]).toEqual({ partition, offset })
    }
  })

  it('names missing topics and how to create them', async () => {
    const there = await createTopic(1)
    const [one, two] = [`missing-${randomUUID()}`, `missing-${randomUUID()}`]
    const failures = [
      log.partitions(one),
      log.append([{ topic: one, key: 'k', value: 'v' }]),
      log.consume({
        group: 'g',
        topics: [there, one, two],
        handler: new CopyingHandler(there),
        batchSize: 1,
      }),
      all(log, one),
    ]
    await Promise.allSettled(failures)
    for (const failure of failures)
      await expect(failure).rejects.toMatchObject({
        code: 'TOPIC_MISSING',
        message: expect.stringMatching(`${one}.*upswell topics create`),
      })
    await expect(failures[2]).rejects.toThrow(two)
    await expect(failures[2]).rejects.not.toThrow(there)
  })

  it('begins at the first offset that retention has kept', async () => {
    const [input, output] = [await createTopic(1), await createTopic(1)]
    await appendNumbers(input, 0, 10)
    const admin = kafkaClients(connection).create().admin()
    await admin.connect()
    await admin.fetchTopicOffsets(input)
    await admin.deleteTopicRecords({ topic: input, partitions: [{ partition: 0, offset: '4' }] })
    await admin.disconnect()
    const warnings: string[] = []
    const warned = open({ logger: { ...silent, warn: line => warnings.push(line) } })
    onTestFinished(() => warned.close())
    const handler = new CopyingHandler(output)
    let firstOffset: number | undefined
    const assigned = handler.assigned.bind(handler)
    handler.assigned = session => {
      firstOffset = session.firstOffset
      return assigned(session)
    }
    await warned.consume({ group: randomUUID(), topics: [input], handler, batchSize: 100 })
    await until(async () => (await all(log, output)).length === 6)
    expect(warnings.join()).toMatch(/begins at offset 4; retention/)
    expect(firstOffset).toBe(4)
    expect(await log.ranges(input)).toEqual(new Map([[0, { first: 4, end: 11 }]]))
    const left: string[] = []
    for await (const record of log.read(input, [{ partition: 0, from: 1, to: 7 }])) left.push(textOf(record))
    expect(left).toEqual(['4', '5', '6'])
  })

  it('reports a group that is past the end of its topic, and waits', async () => {
    const input = await createTopic(1)
    const handler: PartitionHandler = {
      assigned: async () => 500,
      process: async () => {},
      released: () => {},
    }
    const consumption = await log.consume({ group: randomUUID(), topics: [input], handler, batchSize: 1 })
    onTestFinished(() => consumption.stop())
    await until(() => /offset 500.*ends at 0.*created again/.test(consumption.problem() ?? ''))
  })

  it('continues with the other partitions while one is slow', async () => {
    const [input, output] = [await createTopic(2), await createTopic(1)]
    await log.append([{ topic: input, partition: 0, key: 'k', value: 'slow' }])
    const hanging = new HangingHandler(output)
    const copying = new CopyingHandler(output)
    const handler: PartitionHandler = {
      assigned: async session => session.committedOffset,
      process: (session, records) => (session.partition === 0 ? hanging : copying).process(session, records),
      released: () => {},
    }
    const consumption = await log.consume({ group: randomUUID(), topics: [input], handler, batchSize: 5 })
    onTestFinished(() => consumption.stop())
    await until(() => hanging.isHolding)
    for (let i = 0; i < 5; i++) {
      await log.append([{ topic: input, partition: 1, key: 'k', value: `fast ${i}` }])
      await until(async () => (await all(log, output)).length === i + 1)
    }
    hanging.letGo()
    await until(async () => (await all(log, output)).length === 6)
    // The slow partition continues.
    await log.append([{ topic: input, partition: 0, key: 'k', value: 'next' }])
    await until(async () => (await all(log, output)).length === 7)
  })

  it('continues in the same session when its connections break', async () => {
    const [input, output] = [await createTopic(2), await createTopic(1)]
    const wire = holdableSockets()
    onTestFinished(() => wire.restore())
    const worker = open()
    onTestFinished(() => worker.close())
    const handler = new CopyingHandler(output)
    let sessions = 0
    const assigned = handler.assigned.bind(handler)
    handler.assigned = session => {
      sessions++
      return assigned(session)
    }
    await appendNumbers(input, 0, 100)
    await worker.consume({ group: randomUUID(), topics: [input], handler, batchSize: 10 })
    await until(async () => (await all(log, output)).length === 100)
    wire.cut()
    await appendNumbers(input, 100, 200)
    await until(async () => (await all(log, output)).length === 200)
    expect(sessions).toBe(2)
  })

  it('creates missing topics and leaves the others unchanged', async () => {
    const [old, fresh] = [await createTopic(2), `test-${randomUUID()}`]
    const topics = [
      { name: old, partitions: 3 },
      { name: fresh, partitions: 3, config: { 'cleanup.policy': 'compact' } },
    ]
    expect(await createTopics({ ...connection, topics })).toEqual({
      created: [fresh],
      existing: [old],
    })
    expect(await createTopics({ ...connection, topics })).toMatchObject({
      created: [],
      existing: [old, fresh],
    })
    expect(await log.partitions(fresh)).toBe(3)
    const wrong = { name: `test-${randomUUID()}`, partitions: 1, config: { 'cleanup.policy': 'hope' } }
    await expect(createTopics({ ...connection, topics: [wrong] })).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
    })
  })
})

/** Copies records, but holds each batch until `letGo`, and keeps the result of its commit. */
class HangingHandler implements PartitionHandler {
  readonly outcome: Promise<UpswellError>
  isHolding = false
  releases = 0
  readonly #copying: CopyingHandler
  readonly #gate: Promise<void>
  #open = (): void => {}
  #refused: (error: UpswellError) => void = () => {}

  constructor(output: string) {
    this.#copying = new CopyingHandler(output)
    this.#gate = new Promise(resolve => {
      this.#open = resolve
    })
    this.outcome = new Promise(resolve => {
      this.#refused = resolve
    })
  }

  letGo(): void {
    this.#open()
  }

  assigned(session: PartitionSession): Promise<number> {
    return this.#copying.assigned(session)
  }

  async process(session: PartitionSession, records: RecordList): Promise<void> {
    this.isHolding = true
    await this.#gate
    try {
      await this.#copying.process(session, records)
    } catch (error) {
      this.#refused(error as UpswellError)
      throw error
    }
  }

  released(): void {
    this.releases++
  }
}

/**
 * On `hold` stops all open connections in both directions, as a paused virtual machine does. `release` lets
 * everything through.
 */
function holdableSockets() {
  const connect = net.connect.bind(net)
  const sockets: net.Socket[] = []
  let held: net.Socket[] = []
  const spy = vi.spyOn(net, 'connect').mockImplementation((...args: unknown[]) => {
    const socket = (connect as (...args: unknown[]) => net.Socket)(...args)
    sockets.push(socket)
    return socket
  })
  return {
    hold: () => {
      held = [...sockets]
      for (const socket of held) {
        socket.pause()
        socket.cork()
      }
    },
    release: () => {
      for (const socket of held) {
        socket.uncork()
        socket.resume()
      }
    },
    cut: () => {
      for (const socket of sockets) socket.destroy(new Error('cut'))
    },
    restore: () => spy.mockRestore(),
  }
}
