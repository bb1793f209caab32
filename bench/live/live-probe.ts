import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { BENCH_PREFIX } from '../machine/installation.ts'
import { monotonicMs } from '../machine/measure.ts'
import { atRank } from '../report/statistics.ts'
import { numberOf } from '../signals/occurrence-times.ts'
import type { LiveSenderOptions, SentSignals } from './live-sender.ts'

export interface LiveProbeOptions extends Omit<LiveSenderOptions, 'sentAtMs' | 'topic'> {
  readonly signalsTopic: string
  readonly changesTopic: string
  /** The number of signals of all kinds. The number in each id is below it. */
  readonly signals: number
  /** Signals sent in these first seconds do not count. */
  readonly warmUpSeconds: number
}

/**
 * Latencies in ms, from just before a signal is sent until a `read_committed` reader has the change of tier
 * that it caused.
 */
export interface Latencies extends SentSignals {
  readonly measured: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** The last signal's change may still be on its way. The probe ends after this long without a change. */
const QUIET_MS = 3_000

/**
 * One sender and reader for both sides, in its own process: `node dist/bench/live/live-probe.js OPTIONS`.
 * Sends the latencies to the parent process. It skips changes that only time caused: no signal was sent for
 * them.
 */
async function probe(options: LiveProbeOptions): Promise<Latencies> {
  const { brokers, signalsTopic, changesTopic, partitions, file, rate, signals, warmUpSeconds } = options
  const sentAtMs = new Float64Array(new SharedArrayBuffer(8 * signals))
  const name = `${BENCH_PREFIX}probe-${randomUUID()}`
  const log = openKafkaLog({ ...connectionTo(brokers), transactionalIdPrefix: name })
  const latencies: { readonly sentAtMs: number; readonly ms: number }[] = []
  let lastAtMs = 0
  let waiting = partitions
  let ready = (): void => {}
  const joined = new Promise<void>(resolve => {
    ready = resolve
  })
  await log.consume({
    group: name,
    topics: [changesTopic],
    batchSize: 10_000,
    handler: {
      assigned: async () => {
        if (--waiting === 0) ready()
        return 0
      },
      process: async (_, records) => {
        const nowMs = monotonicMs()
        lastAtMs = nowMs
        for (const { value } of records) {
          const cause = causeOf(JSON.parse(String(value)))
          const causeSentAtMs = cause === undefined ? 0 : sentAtMs[numberOf(cause)]!
          if (causeSentAtMs > 0) latencies.push({ sentAtMs: causeSentAtMs, ms: nowMs - causeSentAtMs })
        }
      },
      released: () => {},
    },
  })
  await joined
  const sender = new Worker(new URL('./live-sender.js', import.meta.url), {
    workerData: {
      brokers,
      topic: signalsTopic,
      partitions,
      file,
      rate,
      sentAtMs,
    } satisfies LiveSenderOptions,
  })
  const [sent] = (await once(sender, 'message')) as [SentSignals]
  lastAtMs = Math.max(lastAtMs, monotonicMs())
  while (monotonicMs() - lastAtMs < QUIET_MS) await sleep(50)
  await log.close()
  const begin = sentAtMs.reduce(
    (first, time) => (time > 0 && time < first ? time : first),
    Number.POSITIVE_INFINITY,
  )
  const counted = latencies
    .filter(latency => latency.sentAtMs >= begin + warmUpSeconds * 1000)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b)
  if (counted.length === 0)
    throw new Error(`no change of tier came after the ${warmUpSeconds} s of warming up`)
  const at = (share: number): number => atRank(counted, share)
  return { ...sent, measured: counted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

/**
 * The id of the signal that caused a change of tier, in our format or the Kafka Streams job's. Undefined if
 * there is none.
 */
function causeOf({ cause }: { readonly cause: string | { readonly signalId?: string } }): string | undefined {
  if (typeof cause === 'object') return cause.signalId
  return cause === 'window' ? undefined : cause
}

const latencies = await probe(JSON.parse(process.argv[2]!) as LiveProbeOptions)
if (process.send === undefined) process.stdout.write(`${JSON.stringify(latencies)}\n`)
else process.send(latencies, () => process.exit())
