import { modelsRecord } from '../../src/log/signals-topic-records.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import type { BenchServers } from '../machine/bench-servers.ts'
import { forkForResult } from '../machine/child-process.ts'
import { createSignalsTopic, newInstallation, prepareRun } from '../machine/installation.ts'
import { PEER_LIVE_CHANGES, PEER_LIVE_SIGNALS, type Peer } from '../peer/peer.ts'
import { startScorers } from '../score/scorers.ts'
import { readModel } from '../signals/models.ts'
import type { Latencies, LiveProbeOptions } from './live-probe.ts'

/** Time for code to be compiled and caches to fill: the Kafka Streams job's own measurement takes as long. */
export const LIVE_WARM_UP_SECONDS = 10

export interface LiveLoad {
  /** Holds the signals, one JSON a line. */
  readonly file: string
  readonly signals: number
  readonly rate: number
  readonly warmUpSeconds: number
}

/** Measures how long a change of tier takes to leave the score role while signals arrive at a fixed rate. */
export function measureLiveUpswell(
  servers: BenchServers,
  load: LiveLoad,
  threads: number,
): Promise<Latencies> {
  return servers.withRedis(async redisUrl => {
    const { brokers, log } = servers
    const installation = newInstallation(brokers)
    const { topics } = installation
    await createSignalsTopic(installation)
    const { settings } = await prepareRun(installation, redisUrl)
    for (let partition = 0; partition < PARTITIONS; partition++)
      await log.append([modelsRecord(topics.signals, partition, 0, [readModel('rolling-score')])])
    const scorers = await startScorers({ processes: 1, threads, settings, partitions: PARTITIONS })
    try {
      scorers.begin()
      return await runProbe(brokers, load, topics.signals, topics['tier-changes'])
    } finally {
      await scorers.stop()
    }
  })
}

export async function measureLivePeer(
  peer: Peer,
  brokers: readonly string[],
  load: LiveLoad,
): Promise<Latencies> {
  await peer.resetLive()
  const serving = await peer.serve()
  try {
    return await runProbe(brokers, load, PEER_LIVE_SIGNALS, PEER_LIVE_CHANGES)
  } finally {
    await serving.stop()
  }
}

function runProbe(
  brokers: readonly string[],
  load: LiveLoad,
  signalsTopic: string,
  changesTopic: string,
): Promise<Latencies> {
  const options: LiveProbeOptions = { ...load, brokers, signalsTopic, changesTopic, partitions: PARTITIONS }
  return forkForResult<Latencies>(new URL('./live-probe.js', import.meta.url), options)
}
