import type { Log } from '../../src/log/log.ts'
import type { ScorersShape } from '../jobs/plan.ts'
import type { BenchServers } from '../machine/bench-servers.ts'
import { createSignalsTopic, type Installation, newInstallation } from '../machine/installation.ts'
import { runScoring } from '../score/score-run.ts'
import { readModel } from '../signals/models.ts'
import type { OccurrenceTimes } from '../signals/occurrence-times.ts'
import { type FilledTopic, fillTopic } from '../signals/signal-topic.ts'
import type { Peer, PeerRunOptions } from './peer.ts'
import { readPeerSignals } from './peer-signals.ts'
import { type Fingerprint, fingerprintOf, type PeerChange, peerChange } from './tier-fingerprint.ts'

/** One run of either side. */
export interface PairedRun {
  /** From the first record taken until the committed offsets are at the end. */
  readonly seconds: number
  /** The same until the store has everything, if it is written separately. */
  readonly storedSeconds?: number
  /** The whole process since its start, Redis included. */
  readonly cpuSeconds: number
  readonly redisCpuSeconds?: number
  /** All processes, Redis included. */
  readonly peakBytes: number
  readonly redisPeakBytes?: number
  readonly fingerprint: Fingerprint
}

/** The signals of one size, in a topic for each side. */
export interface PairedSignals {
  readonly installation: Installation
  readonly filled: FilledTopic
  readonly times: OccurrenceTimes
}

/** Lets the other job's producer make the signals, and copies them to an Upswell log. */
export async function pairSignals(
  peer: Peer,
  { brokers, log }: BenchServers,
  signals: number,
): Promise<PairedSignals> {
  const installation = newInstallation(brokers)
  await peer.produce(signals)
  await createSignalsTopic(installation)
  const { records, times } = readPeerSignals(log, signals)
  const filled = await fillTopic(log, installation.topics.signals, [readModel('rolling-score')], records)
  return { installation, filled, times }
}

export async function runPeer(peer: Peer, options: PeerRunOptions): Promise<PairedRun> {
  const { seconds, cpuSeconds, peakRssMiB, tierChanges, sha256 } = await peer.run(options)
  return { seconds, cpuSeconds, peakBytes: peakRssMiB * 2 ** 20, fingerprint: { tierChanges, sha256 } }
}

export async function runUpswell(
  servers: BenchServers,
  { installation, filled, times }: PairedSignals,
  shape: ScorersShape,
): Promise<PairedRun> {
  const run = await runScoring(servers, {
    installation,
    filled,
    ...shape,
    inspect: ({ log }) => fingerprintOfTopic(log, installation.topics['tier-changes'], times),
  })
  return {
    seconds: run.seconds,
    storedSeconds: run.seconds + run.storeBehindSeconds,
    cpuSeconds: run.cpuSeconds + run.redisCpuSeconds,
    redisCpuSeconds: run.redisCpuSeconds,
    peakBytes: run.peakRssBytes + run.redisPeakBytes,
    redisPeakBytes: run.redisPeakBytes,
    fingerprint: run.found,
  }
}

/** The fingerprint of the tier changes that a `read_committed` consumer reads. */
async function fingerprintOfTopic(log: Log, topic: string, times: OccurrenceTimes): Promise<Fingerprint> {
  const changes: PeerChange[] = []
  for await (const { value } of log.readAll(topic))
    changes.push(
      peerChange(JSON.parse(String(value)), signalId => new Date(times.get(signalId)).toISOString()),
    )
  return fingerprintOf(changes)
}
