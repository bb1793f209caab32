import { setTimeout as sleep } from 'node:timers/promises'
import { Partitioners } from 'kafkajs'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { benchSignals } from '../signals/signals.ts'

/**
 * The process's only argument, as JSON. The process sends until it receives any message, then reports what it
 * sent.
 */
export interface SignalsToSend {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly signalsPerSecond: number
  readonly seed: number
}

export interface SentSignals {
  readonly sent: number
  readonly seconds: number
}

const INTERVAL_MS = 20
/** A larger batch would mean that the process paused. */
const MOST_AT_ONCE = 10_000
/** More than any run sends. It sets the time between the stream's signals, which is not used here. */
const STREAM_LENGTH = 1e9

const { brokers, topic, signalsPerSecond, seed } = JSON.parse(process.argv[2]!) as SignalsToSend
const clients = kafkaClients(connectionTo(brokers))
const producer = clients.create().producer({
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
})
await producer.connect()
const signals = benchSignals({ count: STREAM_LENGTH, seed })
let stopped = false
process.once('message', () => {
  stopped = true
})

const begin = performance.now()
let sent = 0
while (!stopped) {
  const due = Math.floor(((performance.now() - begin) * signalsPerSecond) / 1000)
  const count = Math.min(due - sent, MOST_AT_ONCE)
  if (count > 0) {
    const messages = Array.from({ length: count }, () => nextMessage(Date.now()))
    await producer.send({ topic, messages })
    sent += count
  }
  await sleep(INTERVAL_MS)
}
const sentSignals: SentSignals = { sent, seconds: (performance.now() - begin) / 1000 }
process.send!(sentSignals)
await producer.disconnect()
clients.close()
process.disconnect()

/** The stream decides who does what; the time is now. */
function nextMessage(now: number) {
  const signal = signals.next().value!
  const live = { ...signal, id: `live-${seed}-${signal.id}`, occurredAt: now }
  const record = signalRecord(topic, live, now)
  return {
    key: record.key,
    value: record.value,
    partition: partitionOf(signal.accountId, PARTITIONS),
    timestamp: String(now),
  }
}
