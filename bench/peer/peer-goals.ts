import type { Latencies } from '../live/live-probe.ts'
import { middle } from '../report/statistics.ts'
import type { PairedRun } from './peer-pairing.ts'

/** All runs of one size, in the order of the rounds. */
export interface PairedRuns {
  readonly signals: number
  readonly peerOneThread: readonly PairedRun[]
  readonly peerTwoThreads: readonly PairedRun[]
  readonly peerSmallHeap: readonly PairedRun[]
  readonly oneProcess: readonly PairedRun[]
  /** One process too, with two threads that score. */
  readonly twoThreads: readonly PairedRun[]
  readonly twoProcesses: readonly PairedRun[]
}

export interface PairedLatencies {
  readonly rate: number
  readonly peer: readonly Latencies[]
  readonly upswell: readonly Latencies[]
}

/** One comparison, and whether it meets the goal. */
export interface Verdict {
  readonly goal: string
  readonly unit: string
  readonly decimals: number
  readonly upswell: readonly number[]
  readonly peer: readonly number[]
  /** Upswell's figure over the other's, for each round: both sides had the same disturbances. */
  readonly ratios: readonly number[]
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number }
  readonly isMet: boolean
}

/** Judges the runs of one size. */
export function judgeRuns(runs: PairedRuns): Verdict[] {
  const { signals, peerOneThread, peerTwoThreads, peerSmallHeap, oneProcess, twoProcesses } = runs
  const rates = (of: readonly PairedRun[]) => of.map(({ seconds }) => signals / seconds)
  const cpu = (of: readonly PairedRun[]) => of.map(({ cpuSeconds }) => (cpuSeconds / signals) * 1e6)
  const peaks = (of: readonly PairedRun[]) => of.map(({ peakBytes }) => peakBytes / 2 ** 20)
  return [
    judge('one process, against one thread', 'signals/s', 0, rates(oneProcess), rates(peerOneThread), {
      atLeast: 1.5,
    }),
    judge('two processes, against two threads', 'signals/s', 0, rates(twoProcesses), rates(peerTwoThreads), {
      atLeast: 1.5,
    }),
    judge('processor, with Redis', 'CPU s per million', 1, cpu(oneProcess), cpu(peerOneThread), {
      atMost: 0.7,
    }),
    judge(
      'peak memory, with Redis, against the small heap',
      'MiB',
      0,
      peaks(oneProcess),
      peaks(peerSmallHeap),
      { atMost: 1 },
    ),
  ]
}

export function judgeLatencies({ rate, peer, upswell }: PairedLatencies): Verdict[] {
  return (['p50', 'p99'] as const).map(rank =>
    judge(
      `latency at ${rate.toLocaleString('en')} signals/s, ${rank}`,
      'ms',
      1,
      upswell.map(latencies => latencies[rank]),
      peer.map(latencies => latencies[rank]),
      { atMost: 0.25 },
    ),
  )
}

function judge(
  goal: string,
  unit: string,
  decimals: number,
  upswell: readonly number[],
  peer: readonly number[],
  wanted: Verdict['wanted'],
): Verdict {
  const ratios = upswell.map((value, round) => value / peer[round]!)
  const { median } = middle(ratios)
  const isMet = 'atLeast' in wanted ? median >= wanted.atLeast : median <= wanted.atMost
  return { goal, unit, decimals, upswell, peer, ratios, wanted, isMet }
}
