import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { type TopicNames, topicNames } from '../../src/log/topic-names.ts'
import { parseSignal } from '../../src/signals/parse-signal.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { createMemoryFold, cutIntoBatches, historyRecords } from '../jobs/fold-log.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { openBenchBackend } from '../machine/bench-backend.ts'
import { createBenchTopics, deleteBenchTopics, topicsOfRun } from '../machine/bench-topics.ts'
import { watchRedis } from '../machine/redis-usage.ts'
import type { Services } from '../machine/services.ts'
import { scoreLog } from '../score/score-log.ts'
import { fillLog } from '../signals/fill-log.ts'
import { readModel } from '../signals/models.ts'
import { type PeerChange, peerChange } from './tier-fingerprint.ts'

const MODEL = 'rolling-score'
const BATCH_SIZE = 500

/** @throws Error at a line that is not a signal */
export async function readDump(file: string): Promise<Signal[]> {
  const signals: Signal[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const parsed = parseSignal(Buffer.from(line), {
      observedAt: Number.POSITIVE_INFINITY,
      defaultKind: undefined,
      place: 'log',
    })
    if ('rejection' in parsed) throw new Error(`${file}:${signals.length + 1}: ${parsed.rejection.detail}`)
    signals.push(parsed.signal)
  }
  return signals
}

/** Scores the signals in memory, without a log. */
export function changesOfFold(signals: readonly Signal[]): PeerChange[] {
  const memory = createMemoryFold(readModel(MODEL))
  const timeOf = timesOf(signals)
  return cutIntoBatches(historyRecords(signals), BATCH_SIZE)
    .flatMap(batch => memory.fold(memory.decode(batch)))
    .filter(event => event.type === 'tier-change')
    .map(event => peerChange({ ...event, at: new Date(event.at).toISOString() }, timeOf))
}

/** Scores them with the embedded backend and reads its topic of tier changes. */
export async function changesOfEmbedded(signals: readonly Signal[]): Promise<PeerChange[]> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-bench-'))
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  try {
    return await changesOf(backend, topicNames(''), signals)
  } finally {
    await backend.close()
    await rm(directory, { recursive: true })
  }
}

/** Scores them on Kafka and Redis and reads the tier changes as a `read_committed` consumer does. */
export async function changesOfKafka(
  signals: readonly Signal[],
  { brokers, redisUrl }: Services,
): Promise<PeerChange[]> {
  const namespace = `upswell-fingerprint-${randomUUID().slice(0, 8)}`
  const topics = topicsOfRun(namespace, `${namespace}-signals`)
  await createBenchTopics(brokers, Object.values(topics))
  const redis = await watchRedis(redisUrl)
  const backend = await openBenchBackend({ brokers, redisUrl, namespace })
  try {
    return await changesOf(backend, topics, signals)
  } finally {
    await backend.close()
    await redis.forget(namespace)
    redis.close()
    await deleteBenchTopics(brokers, namespace)
  }
}

async function changesOf(
  backend: Backend,
  topics: TopicNames,
  signals: readonly Signal[],
): Promise<PeerChange[]> {
  const models = [readModel(MODEL)]
  const records = await fillLog(backend.log, topics.signals, models, signals)
  await scoreLog({ backend, topics, models, batchSize: BATCH_SIZE, records })
  const timeOf = timesOf(signals)
  const changes: PeerChange[] = []
  for await (const { value } of backend.log.readAll(topics['tier-changes']))
    changes.push(peerChange(JSON.parse(String(value)), timeOf))
  return changes
}

/** Returns when a signal occurred. The changes contain only ids of these signals. */
function timesOf(signals: readonly Signal[]): (signalId: string) => string {
  const times = new Map(signals.map(({ id, occurredAt }) => [id, occurredAt]))
  return signalId => new Date(times.get(signalId)!).toISOString()
}
