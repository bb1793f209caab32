import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { BenchServers } from '../machine/bench-servers.ts'
import { number, spread, table } from '../report/markdown.ts'
import { recordsOf } from '../signals/fill-log.ts'
import { benchSignals } from '../signals/signals.ts'
import type { Latencies } from './live-probe.ts'
import { LIVE_WARM_UP_SECONDS, measureLiveUpswell } from './live-run.ts'

export interface LiveBenchOptions {
  /** Signals a second; each is measured. */
  readonly rates: readonly number[]
  /** Measured time; the warm-up comes before it. */
  readonly seconds: number
  readonly rounds: number
  /** Threads of the scorer. */
  readonly threads: number
}

export interface LiveResult {
  readonly rate: number
  readonly latencies: readonly Latencies[]
}

const SEED = 42

/** Measures how long a change of tier takes to reach a reader, at fixed rates. */
export async function benchLive(
  servers: BenchServers,
  { rates, seconds, rounds, threads }: LiveBenchOptions,
  onStep: (done: string) => void,
): Promise<LiveResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-bench-live-'))
  const results = rates.map(rate => ({ rate, latencies: [] as Latencies[] }))
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const { rate, latencies } of results) {
        const signals = rate * (seconds + LIVE_WARM_UP_SECONDS)
        const file = join(directory, `${rate}.jsonl`)
        if (round === 1) await pipeline(linesOf(signals), createWriteStream(file))
        latencies.push(
          await measureLiveUpswell(
            servers,
            { file, signals, rate, warmUpSeconds: LIVE_WARM_UP_SECONDS },
            threads,
          ),
        )
        onStep(`latency at ${rate} signals/s, round ${round}`)
      }
    }
    return results
  } finally {
    await rm(directory, { recursive: true })
  }
}

function* linesOf(count: number): Generator<string> {
  for (const { value } of recordsOf(benchSignals({ count, seed: SEED }), 'wall')) yield `${value}\n`
}

export function renderLive(results: readonly LiveResult[]): string {
  const header = ['signals/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'changes', 'sent/s', 'latest send ms']
  const rows = results.map(({ rate, latencies }) => [
    number(rate),
    ...(['p50', 'p90', 'p99', 'max'] as const).map(rank =>
      spread(
        latencies.map(found => found[rank]),
        1,
      ),
    ),
    spread(latencies.map(({ measured }) => measured)),
    spread(latencies.map(({ sent, seconds }) => sent / seconds)),
    spread(latencies.map(({ worstDelayMs }) => worstDelayMs)),
  ])
  return table([header, ...rows]).join('\n')
}
