import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parentPort, workerData } from 'node:worker_threads'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { monotonicMs } from '../machine/measure.ts'
import { numberOf } from '../signals/occurrence-times.ts'

export interface LiveSenderOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  /** Holds the signals, one JSON a line. */
  readonly file: string
  /** Signals a second. */
  readonly rate: number
  /** Index: the number of a signal. Value: when it was first sent, as `monotonicMs`; 0 if not yet. */
  readonly sentAtMs: Float64Array
}

export interface SentSignals {
  readonly sent: number
  readonly seconds: number
  /**
   * The longest delay between a signal's turn and its send. More than some ms means that the machine could
   * not keep up.
   */
  readonly worstDelayMs: number
}

/** Time between two sends. Node's timers are no finer. */
const TURN_MS = 1

/**
 * Sends the signals at a steady rate, even if answers are slow. It has its own thread, apart from the
 * reader's.
 */
async function send(options: LiveSenderOptions): Promise<SentSignals> {
  const { brokers, topic, partitions, file, rate, sentAtMs } = options
  const signals = await readSignalLines(file)
  const messages = signals.map(({ key, value, timestamp }) => ({
    key,
    value,
    timestamp: String(timestamp),
    partition: partitionOf(key, partitions),
  }))
  const clients = kafkaClients(connectionTo(brokers))
  const producer = clients.create().producer({
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
  })
  await producer.connect()
  // The first send fetches the topic's metadata.
  await producer.send({ topic, messages: [] })
  const begin = monotonicMs()
  let sent = 0
  let worstDelayMs = 0
  const answers = new Set<Promise<unknown>>()
  await new Promise<void>((done, fail) => {
    const turn = (): void => {
      const nowMs = monotonicMs()
      const due = Math.min(messages.length, Math.floor(((nowMs - begin) * rate) / 1000) + 1)
      if (due > sent) {
        worstDelayMs = Math.max(worstDelayMs, nowMs - (begin + (sent * 1000) / rate))
        for (let i = sent; i < due; i++) {
          const number = numberOf(signals[i]!.id)
          if (sentAtMs[number] === 0) sentAtMs[number] = nowMs
        }
        const answer = producer.send({ topic, acks: -1, messages: messages.slice(sent, due) })
        answers.add(answer)
        answer.then(() => answers.delete(answer), fail)
        sent = due
      }
      if (sent === messages.length) done()
      else setTimeout(turn, TURN_MS)
    }
    turn()
  })
  const seconds = (monotonicMs() - begin) / 1000
  await Promise.all(answers)
  await producer.disconnect()
  clients.close()
  return { sent, seconds, worstDelayMs }
}

/** A signal to send. `value` is its canonical JSON. */
interface SignalLine {
  readonly id: string
  readonly key: string
  readonly value: string
  /** ms */
  readonly timestamp: number
}

/**
 * Reads signals, one canonical JSON a line.
 * @throws SyntaxError if a line is not JSON
 */
async function readSignalLines(file: string): Promise<SignalLine[]> {
  const signals: SignalLine[] = []
  for await (const value of createInterface({ input: createReadStream(file) })) {
    const { id, accountId, occurredAt } = JSON.parse(value) as Record<
      'id' | 'accountId' | 'occurredAt',
      string
    >
    signals.push({ id, key: accountId, value, timestamp: Date.parse(occurredAt) })
  }
  return signals
}

parentPort!.postMessage(await send(workerData as LiveSenderOptions))
