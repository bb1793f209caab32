import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { UpswellError } from '../../src/lib/errors.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import type { Log } from '../../src/log/log.ts'
import {
  fileOf,
  interrupt,
  printedFromLine,
  runLoad,
  signalAt,
  type TestSignal,
} from '../commands/send/run-load.ts'
import { silent } from '../support/log-handlers.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const SIGNALS = Array.from({ length: 60 }, (_, i) => signalAt(59 - i, `account-${i % 7}`))
const PARTITIONS = 3

describeIntegration('upswell send to Kafka', ({ kafkaBrokers }) => {
  const connection = { brokers: kafkaBrokers.split(','), clientId: 'test', logger: silent }
  const topic = `send-${randomUUID()}`
  let log: Log

  beforeAll(async () => {
    await createTopics({ ...connection, topics: [{ name: topic, partitions: PARTITIONS }] })
    log = openKafkaLog({ ...connection, transactionalIdPrefix: topic, sessionTimeoutMs: 6_000 })
  })
  afterAll(async () => {
    await log.deleteTopics([topic])
    await log.close()
  })

  it('goes on after stops and unanswered writes, and sends each signal once and in order', async () => {
    const file = await fileOf(SIGNALS)
    let appends = 0
    const append: Log['append'] = async records => {
      appends++
      // The first batch, the fourth, and the sixth.
      if (appends === 2 || appends === 6) interrupt()
      const positions = await log.append(records)
      if (appends === 1 || appends === 4)
        throw new UpswellError('LOG_UNAVAILABLE', 'the broker is away', { canRetry: true })
      return positions
    }
    const failing = {
      append,
      partitions: of => log.partitions(of),
      ranges: of => log.ranges(of),
      read: (of, stretches) => log.read(of, stretches),
    } as Pick<Log, 'append' | 'partitions' | 'ranges' | 'read'> as Log
    const codes: (number | undefined)[] = []
    let fromLine: number | undefined
    do {
      const ran = await runLoad(failing, file, { fromLine }, { topic })
      codes.push(ran.code)
      fromLine = printedFromLine(ran)
    } while (codes.at(-1) !== 0)
    expect(codes).toEqual([undefined, 130, undefined, 130, 0])

    const sent: TestSignal[] = []
    for await (const { key, value } of log.readAll(topic))
      if (key !== null) sent.push(JSON.parse(String(value)) as TestSignal)
    const idsOf = (signals: readonly TestSignal[], account: string) =>
      signals.filter(({ accountId }) => accountId === account).map(({ id }) => id)
    const oldestFirst = SIGNALS.toReversed()
    for (let i = 0; i < 7; i++)
      expect(idsOf(sent, `account-${i}`)).toEqual(idsOf(oldestFirst, `account-${i}`))
    expect(sent).toHaveLength(SIGNALS.length)
  })
})
