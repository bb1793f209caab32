import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ModelSource } from '../../src/models/model-library.ts'
import type { Allocation, AllocationJob } from './counters-allocation.ts'
import { countRoundTrips, type RoundTrips } from './counters-round-trips.ts'

/** What a signal, a batch and a tick cost, in units that other work on the machine does not change. */
export interface Counters extends RoundTrips {
  /**
   * Bytes of objects and buffers that decoding a record of `signals` allocates. Depends on the version of
   * Node.
   */
  readonly decodeBytesPerSignal: number
  /** Bytes that folding it allocates, standings and events included. */
  readonly foldBytesPerSignal: number
}

const RUNS = 3
/** The runs may differ by this share of the smallest; in practice they differ by less than a thousandth. */
const SCATTER = 0.02
const SEED = 42
/**
 * The young generation is large enough that nothing is collected. No compiler runs in parallel, at times of
 * its own choice.
 */
const FLAGS = ['--expose-gc', '--single-threaded', '--min-semi-space-size=512', '--max-semi-space-size=512']

/**
 * @param allocationFile the compiled `counters-allocation.js`
 * @throws Error if the runs differ, or memory was collected in one
 */
export async function measureCounters(allocationFile: string, model: ModelSource): Promise<Counters> {
  const roundTrips = await countRoundTrips(model)
  const runs: Allocation[] = []
  for (let run = 0; run < RUNS; run++) runs.push(await runAllocation(allocationFile, { model, seed: SEED }))
  return {
    ...roundTrips,
    decodeBytesPerSignal: agreed(runs.map(({ signals, decodeBytes }) => decodeBytes / signals)),
    foldBytesPerSignal: agreed(runs.map(({ signals, foldBytes }) => foldBytes / signals)),
  }
}

async function runAllocation(file: string, job: AllocationJob): Promise<Allocation> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, file, JSON.stringify(job)], {
    // Node flags from the test environment would change the figures.
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const allocation = JSON.parse(stdout) as Allocation
  if (allocation.collections === 0) return allocation
  throw new Error(
    `V8 collected garbage ${allocation.collections} times while allocated bytes were counted: the signals do not fit into the young generation; ` +
      'lower COUNTED in bench/counters/counters-allocation.ts',
  )
}

/** The smallest run. */
function agreed(bytes: readonly number[]): number {
  const least = Math.min(...bytes)
  if (Math.max(...bytes) <= least * (1 + SCATTER)) return Math.round(least)
  throw new Error(
    `the runs allocated ${bytes.map(Math.round).join(', ')} bytes a signal. These differ by more than ${SCATTER * 100} %: something in the runs is random`,
  )
}
