import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Latencies } from '../live/live-probe.ts'
import { LIVE_WARM_UP_SECONDS, type LiveLoad, measureLivePeer, measureLiveUpswell } from '../live/live-run.ts'
import { type BenchServers, openBenchServers } from '../machine/bench-servers.ts'
import { openPeer, type Peer } from './peer.ts'
import type { PairedLatencies, PairedRuns } from './peer-goals.ts'
import { type PairedRun, pairSignals, runPeer, runUpswell } from './peer-pairing.ts'

export interface PeerBenchOptions {
  /** The folder of the Kafka Streams job. */
  readonly peer: string
  /** Each size is measured, in this order. */
  readonly signals: readonly number[]
  readonly rounds: number
  /** How long each latency is measured; 0: not at all. */
  readonly liveSeconds: number
  /** Called after each run, with a description of it. */
  readonly onStep: (done: string) => void
}

export interface PeerBench {
  readonly sizes: readonly PairedRuns[]
  readonly latencies: PairedLatencies | undefined
}

/** The rate of the Kafka Streams job's own measurement. */
const LIVE_RATE = 5_000

/** How often `onStep` is called. */
export function stepsOf({ signals, rounds, liveSeconds }: Omit<PeerBenchOptions, 'onStep'>): number {
  return signals.length * (1 + 6 * rounds) + (liveSeconds > 0 ? 2 * rounds : 0)
}

/** Runs both sides in turn on one broker. Redis runs only while Upswell does. */
export async function benchAgainstPeer(options: PeerBenchOptions): Promise<PeerBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'upswell-bench-peer-'))
  // Uses a new broker: the other job's topics have names that others may use too.
  const servers = await openBenchServers()
  try {
    const port = Number(servers.brokers[0]!.split(':')[1])
    const peer = await openPeer(options.peer, port, dataDir)
    const sizes: PairedRuns[] = []
    for (const signals of options.signals) sizes.push(await pairRuns(options, peer, servers, signals))
    const latencies =
      options.liveSeconds > 0 ? await pairLatencies(options, peer, servers, dataDir) : undefined
    return { sizes, latencies }
  } finally {
    await servers.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function pairRuns(
  { rounds, onStep }: PeerBenchOptions,
  peer: Peer,
  servers: BenchServers,
  signals: number,
): Promise<PairedRuns> {
  const paired = await pairSignals(peer, servers, signals)
  onStep(`made ${signals} signals`)
  const runs = {
    signals,
    peerOneThread: [] as PairedRun[],
    oneProcess: [] as PairedRun[],
    peerTwoThreads: [] as PairedRun[],
    twoThreads: [] as PairedRun[],
    twoProcesses: [] as PairedRun[],
    peerSmallHeap: [] as PairedRun[],
  }
  for (let round = 1; round <= rounds; round++) {
    const keep = async (to: PairedRun[], title: string, run: Promise<PairedRun>): Promise<void> => {
      to.push(await run)
      onStep(`${signals} signals, round ${round}: ${title}`)
    }
    const { peerOneThread, oneProcess, peerTwoThreads, twoThreads, twoProcesses, peerSmallHeap } = runs
    await keep(peerOneThread, 'Kafka Streams, 1 thread', runPeer(peer, { threads: 1, heap: 'usual' }))
    await keep(oneProcess, 'Upswell, 1 process', runUpswell(servers, paired, { processes: 1, threads: 1 }))
    await keep(peerTwoThreads, 'Kafka Streams, 2 threads', runPeer(peer, { threads: 2, heap: 'usual' }))
    await keep(
      twoThreads,
      'Upswell, 1 process of 2 threads',
      runUpswell(servers, paired, { processes: 1, threads: 2 }),
    )
    await keep(
      twoProcesses,
      'Upswell, 2 processes',
      runUpswell(servers, paired, { processes: 2, threads: 1 }),
    )
    await keep(peerSmallHeap, 'Kafka Streams, small heap', runPeer(peer, { threads: 1, heap: 'small' }))
  }
  await servers.log.deleteTopics(Object.values(paired.installation.topics))
  return runs
}

async function pairLatencies(
  { rounds, liveSeconds, onStep }: PeerBenchOptions,
  peer: Peer,
  servers: BenchServers,
  dataDir: string,
): Promise<PairedLatencies> {
  const signals = LIVE_RATE * (LIVE_WARM_UP_SECONDS + liveSeconds)
  const load: LiveLoad = {
    file: join(dataDir, 'signals.jsonl'),
    signals,
    rate: LIVE_RATE,
    warmUpSeconds: LIVE_WARM_UP_SECONDS,
  }
  await peer.dump(signals, load.file)
  const found = { rate: LIVE_RATE, peer: [] as Latencies[], upswell: [] as Latencies[] }
  for (let round = 1; round <= rounds; round++) {
    found.peer.push(await measureLivePeer(peer, servers.brokers, load))
    onStep(`latency, round ${round}: Kafka Streams`)
    found.upswell.push(await measureLiveUpswell(servers, load, 1))
    onStep(`latency, round ${round}: Upswell`)
  }
  return found
}
