import type { Latencies } from '../live/live-probe.ts'
import { MIB, number, spread, table } from '../report/markdown.ts'
import {
  judgeLatencies,
  judgeRuns,
  type PairedLatencies,
  type PairedRuns,
  type Verdict,
} from './peer-goals.ts'
import type { PairedRun } from './peer-pairing.ts'

/** The comparison with the Kafka Streams job, as Markdown. */
export function renderPairing(
  sizes: readonly PairedRuns[],
  latencies: PairedLatencies | undefined,
): { readonly markdown: string; readonly allMet: boolean } {
  const verdicts = [
    ...sizes.flatMap(runs =>
      judgeRuns(runs).map(verdict => ({ ...verdict, goal: `${number(runs.signals)}: ${verdict.goal}` })),
    ),
    ...(latencies === undefined ? [] : judgeLatencies(latencies)),
  ]
  const fingerprints = sizes.map(runs => ({ signals: runs.signals, found: fingerprintsOf(runs) }))
  const lines = [
    ...sizes.flatMap(runs => [`${number(runs.signals)} signals:`, '', ...runTable(runs), '']),
    ...(latencies === undefined ? [] : [...latencyTable(latencies), '']),
    ...fingerprints.map(({ signals, found }) =>
      found.length === 1
        ? `The tier changes of ${number(signals)} signals are the same in all runs of both sides: ${found[0]}.`
        : `THE TIER CHANGES OF ${number(signals)} SIGNALS DIFFER: ${found.join('; ')}.`,
    ),
    '',
    ...verdictTable(verdicts),
    '',
  ]
  const allMet = verdicts.every(({ isMet }) => isMet) && fingerprints.every(({ found }) => found.length === 1)
  return { markdown: lines.join('\n'), allMet }
}

function allRuns(runs: PairedRuns): (readonly [string, readonly PairedRun[]])[] {
  return [
    ['Kafka Streams, 1 thread', runs.peerOneThread],
    ['Upswell, 1 process', runs.oneProcess],
    ['Kafka Streams, 2 threads', runs.peerTwoThreads],
    ['Upswell, 1 process of 2 threads', runs.twoThreads],
    ['Upswell, 2 processes', runs.twoProcesses],
    ['Kafka Streams, 1 thread, small heap', runs.peerSmallHeap],
  ]
}

function runTable(runs: PairedRuns): string[] {
  const { signals } = runs
  const perMillion = (seconds: number): number => (seconds / signals) * 1e6
  const header = [
    'job',
    'signals/s',
    'until stored',
    'CPU s per million',
    "of it Redis'",
    'peak MiB',
    "of it Redis'",
  ]
  const rows = allRuns(runs).map(([title, of]) => [
    title,
    spread(of.map(({ seconds }) => signals / seconds)),
    spread(known(of, 'storedSeconds').map(seconds => signals / seconds)),
    spread(
      of.map(({ cpuSeconds }) => perMillion(cpuSeconds)),
      1,
    ),
    spread(known(of, 'redisCpuSeconds').map(perMillion), 1),
    spread(of.map(({ peakBytes }) => peakBytes / MIB)),
    spread(known(of, 'redisPeakBytes').map(bytes => bytes / MIB)),
  ])
  return table([header, ...rows])
}

function known(
  runs: readonly PairedRun[],
  field: 'storedSeconds' | 'redisCpuSeconds' | 'redisPeakBytes',
): number[] {
  return runs.map(run => run[field]).filter(value => value !== undefined)
}

function latencyTable({ rate, peer, upswell }: PairedLatencies): string[] {
  const row = (title: string, of: readonly Latencies[]): string[] => [
    title,
    ...(['p50', 'p90', 'p99', 'max'] as const).map(rank =>
      spread(
        of.map(latencies => latencies[rank]),
        1,
      ),
    ),
    spread(of.map(({ measured }) => measured)),
    spread(of.map(({ sent, seconds }) => sent / seconds)),
    spread(of.map(({ worstDelayMs }) => worstDelayMs)),
  ]
  return table([
    [`latency at ${number(rate)}/s, ms`, 'p50', 'p90', 'p99', 'max', 'changes', 'sent/s', 'latest send ms'],
    row('Kafka Streams, 1 thread', peer),
    row('Upswell, 1 process', upswell),
  ])
}

function fingerprintsOf(runs: PairedRuns): string[] {
  const all = allRuns(runs).flatMap(([, of]) =>
    of.map(({ fingerprint: { tierChanges, sha256 } }) => `${number(tierChanges)}, sha256 ${sha256}`),
  )
  return [...new Set(all)]
}

function verdictTable(verdicts: readonly Verdict[]): string[] {
  const header = ['goal', 'Upswell', 'Kafka Streams', 'unit', 'ratio', 'wanted', '']
  const rows = verdicts.map(({ goal, unit, decimals, upswell, peer, ratios, wanted, isMet }) => [
    goal,
    spread(upswell, decimals),
    spread(peer, decimals),
    unit,
    spread(ratios, 2),
    'atLeast' in wanted ? `≥ ${wanted.atLeast}` : `≤ ${wanted.atMost}`,
    isMet ? 'pass' : 'MISS',
  ])
  return table([header, ...rows])
}
