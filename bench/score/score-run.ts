import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../../src/consumers/backend.ts'
import { kafkaClients } from '../../src/log/kafka/client.ts'
import { openBenchBackend } from '../machine/bench-backend.ts'
import type { BenchServers } from '../machine/bench-servers.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { type Installation, prepareRun } from '../machine/installation.ts'
import { monotonicMs } from '../machine/measure.ts'
import { watchRedis } from '../machine/redis-usage.ts'
import type { FilledTopic } from '../signals/signal-topic.ts'
import { type Scorers, startScorers } from './scorers.ts'

export interface ScoreRunOptions<T> {
  readonly installation: Installation
  readonly filled: FilledTopic
  readonly processes: number
  /** Threads that score in each process. */
  readonly threads: number
  /** Settings of the scorers, added to those that `prepareRun` makes. */
  readonly settings?: Readonly<Record<string, string>>
  /** Reads the results of the run before they are removed. */
  readonly inspect: (backend: Backend) => Promise<T>
}

/** The result of one run of the score role. */
export interface ScoreRun {
  /** From the first record taken until the committed offsets are at the end, as for the Kafka Streams job. */
  readonly seconds: number
  /** From then on until the store has everything. */
  readonly storeBehindSeconds: number
  /** All scorers since their start. */
  readonly cpuSeconds: number
  /** All scorers since they have their partitions: without starting Node and joining. */
  readonly scoringCpuSeconds: number
  readonly redisCpuSeconds: number
  /** The sum of each scorer's own peak. */
  readonly peakRssBytes: number
  readonly redisPeakBytes: number
  /** How many bytes the run made the store grow by. */
  readonly storeBytes: number
}

const LOOK_MS = 10
/** Without progress for this long, something is broken. */
const PATIENCE_MS = 60_000

/** Scores a topic with one or more processes of the product's score role, and measures them from outside. */
export function runScoring<T>(
  servers: BenchServers,
  options: ScoreRunOptions<T>,
): Promise<ScoreRun & { readonly found: T }> {
  return servers.withRedis(async redisUrl => {
    const { installation, filled, processes, threads, inspect, settings: more } = options
    const { settings, namespace, scoreGroup } = await prepareRun(installation, redisUrl, more)
    const { brokers, topics } = installation
    const redis = await watchRedis(redisUrl)
    const backend = await openBenchBackend({ brokers, redisUrl, namespace })
    try {
      const redisBefore = await redis.cpuSeconds()
      const bytesBefore = await backend.store.sizeBytes()
      const scorers = await startScorers({ processes, threads, settings, partitions: filled.ends.size })
      let run: ScoreRun
      try {
        run = {
          ...(await timeScoring(scorers, brokers, scoreGroup, topics.signals, filled, backend)),
          peakRssBytes: scorers.peakRssBytes(),
          redisCpuSeconds: (await redis.cpuSeconds()) - redisBefore,
          redisPeakBytes: await redis.peakBytes(),
          storeBytes: (await backend.store.sizeBytes()) - bytesBefore,
        }
      } finally {
        await scorers.stop()
      }
      return { ...run, found: await inspect(backend) }
    } finally {
      await backend.close()
      redis.close()
    }
  })
}

async function timeScoring(
  scorers: Scorers,
  brokers: readonly string[],
  groupId: string,
  topic: string,
  { ends }: FilledTopic,
  { store }: Backend,
): Promise<Pick<ScoreRun, 'seconds' | 'storeBehindSeconds' | 'cpuSeconds' | 'scoringCpuSeconds'>> {
  const clients = kafkaClients(connectionTo(brokers))
  const admin = clients.create().admin()
  await admin.connect()
  try {
    const cpuBefore = scorers.cpuSeconds()
    scorers.begin()
    await untilReached(ends, LOOK_MS, scorers.requireRunning, async () => {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
      return new Map(found!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
    })
    const committedAtMs = monotonicMs()
    const firstRecordAtMs = scorers.firstRecordAtMs()
    if (firstRecordAtMs === undefined) throw new Error('the scorers did not report their first record')
    await untilReached(ends, 1, scorers.requireRunning, async () => {
      const marks = [...ends.keys()].map(async p => [p, await store.readStoredOffset(p)] as const)
      return new Map(await Promise.all(marks))
    })
    // Includes the last writes of the store.
    const cpuSeconds = scorers.cpuSeconds()
    return {
      seconds: (committedAtMs - firstRecordAtMs) / 1000,
      storeBehindSeconds: (monotonicMs() - committedAtMs) / 1000,
      cpuSeconds,
      scoringCpuSeconds: cpuSeconds - cpuBefore,
    }
  } finally {
    await admin.disconnect()
    clients.close()
  }
}

/**
 * Polls until each partition has reached its end.
 * @throws Error if no partition moves any more
 */
async function untilReached(
  ends: ReadonlyMap<number, number>,
  lookMs: number,
  requireRunning: () => void,
  ask: () => Promise<ReadonlyMap<number, number>>,
): Promise<void> {
  let best = -1
  let movedAtMs = monotonicMs()
  for (;;) {
    const found = await ask()
    if ([...ends].every(([partition, end]) => (found.get(partition) ?? 0) >= end)) return
    requireRunning()
    const sum = [...found.values()].reduce((a, b) => a + b, 0)
    if (sum > best) {
      best = sum
      movedAtMs = monotonicMs()
    } else if (monotonicMs() - movedAtMs > PATIENCE_MS) {
      const offsets = [...ends].map(([p, end]) => `${p}: ${found.get(p) ?? 0} of ${end}`).join(', ')
      throw new Error(`nothing was scored for ${PATIENCE_MS / 1000} s; the partitions are at ${offsets}`)
    }
    await sleep(lookMs)
  }
}
