import { drawCurve, renderCurve } from './curves/curve-report.ts'
import { measureCurve, stepsOfCurve } from './curves/curve-runs.ts'
import { type CurveSizes, curvesOf, FULL_CURVES, QUICK_CURVES } from './curves/curves.ts'
import type { Measurement } from './jobs/jobs.ts'
import { renderJobs } from './jobs/jobs-report.ts'
import { type Plan, planEmbedded, planFold, planKafka, type ScorersShape } from './jobs/plan.ts'
import { benchLive, renderLive } from './live/live-bench.ts'
import type { BenchServers } from './machine/bench-servers.ts'
import { runProgram } from './machine/child-process.ts'
import { benchAgainstPeer, type PeerBenchOptions, stepsOf } from './peer/peer-bench.ts'
import { renderPairing } from './peer/peer-report.ts'
import { benchRebuild, REBUILD_STEPS, type RebuildChoice, renderRebuild } from './rebuild/rebuild-bench.ts'
import { number } from './report/markdown.ts'

/** A part of the report. */
export interface Section {
  readonly title: string
  /** How often `onStep` is called. */
  readonly steps: number
  readonly needsServers: boolean
  /** `servers` is defined if `needsServers`. */
  measure(onStep: (done: string) => void, servers: BenchServers | undefined): Promise<Finding>
}

export interface Finding {
  readonly markdown: string
  /** The picture, as SVG. */
  readonly picture?: { readonly name: string; readonly svg: string }
  /** A goal was missed, or values that must be equal differ. */
  readonly isMissed?: boolean
}

export const PARTS = ['fold', 'embedded', 'kafka', 'latency', 'curves', 'rebuild', 'midnight', 'api'] as const
export type Part = (typeof PARTS)[number]

/** How large each part is. */
export interface Sizes {
  readonly signals: number
  readonly scorers: readonly ScorersShape[]
  /** Threads of the scorers in all other parts. */
  readonly threads: number
  readonly liveRates: readonly number[]
  readonly liveSeconds: number
  /** Undefined: the same as for the jobs. */
  readonly liveRounds?: number
  readonly curves: CurveSizes
  readonly curveRounds: number
  readonly rebuild: RebuildChoice
  /** Arguments of `midnight.js` and `api-load.js`. */
  readonly midnight: readonly string[]
  readonly api: readonly string[]
}

export const QUICK: Sizes = {
  signals: 200_000,
  scorers: [
    { processes: 1, threads: 1 },
    { processes: 1, threads: 2 },
    { processes: 2, threads: 1 },
  ],
  threads: 1,
  liveRates: [5_000],
  liveSeconds: 10,
  liveRounds: 1,
  curves: QUICK_CURVES,
  curveRounds: 1,
  rebuild: { accounts: 2_000, signals: 15, copies: 5, models: 'rolling-score' },
  midnight: ['--accounts', '10000'],
  api: ['--accounts', '5000', '--signals', '5000', '--seconds', '5', '--rounds', '1'],
}

export const FULL: Sizes = {
  signals: 1_000_000,
  scorers: [...QUICK.scorers, { processes: 3, threads: 1 }],
  threads: 1,
  liveRates: [1_000, 5_000, 20_000],
  liveSeconds: 30,
  curves: FULL_CURVES,
  curveRounds: 3,
  rebuild: { accounts: 1_000_000, signals: 2, copies: 1, models: 'rolling-score' },
  midnight: [],
  api: [],
}

export function sectionsOf(parts: readonly Part[], sizes: Sizes, rounds: number): Section[] {
  const sections: Section[] = []
  const jobParts = parts.filter(part => part === 'fold' || part === 'embedded' || part === 'kafka')
  if (jobParts.length > 0) sections.push(jobSection(jobParts, sizes, rounds))
  if (parts.includes('latency')) sections.push(liveSection(sizes, sizes.liveRounds ?? rounds))
  if (parts.includes('curves')) sections.push(...curveSections(sizes))
  if (parts.includes('rebuild')) sections.push(rebuildSection(sizes))
  if (parts.includes('midnight'))
    sections.push(
      programSection(
        'A midnight at which all are due',
        new URL('./midnight/midnight.js', import.meta.url),
        sizes.midnight,
      ),
    )
  if (parts.includes('api'))
    sections.push(
      programSection('The API under load', new URL('./api/api-load.js', import.meta.url), sizes.api),
    )
  return sections
}

/** This part starts its own servers. */
export function peerSection(options: Omit<PeerBenchOptions, 'onStep'>): Section {
  return {
    title: 'Against Kafka Streams',
    steps: stepsOf(options),
    needsServers: false,
    measure: async onStep => {
      const { sizes, latencies } = await benchAgainstPeer({ ...options, onStep })
      const { markdown, allMet } = renderPairing(sizes, latencies)
      return { markdown, isMissed: !allMet }
    },
  }
}

function jobSection(parts: readonly Part[], sizes: Sizes, rounds: number): Section {
  const { signals, scorers } = sizes
  const runs =
    (parts.includes('fold') ? 2 : 0) +
    (parts.includes('embedded') ? 1 : 0) +
    (parts.includes('kafka') ? scorers.length + 1 : 0)
  return {
    title: `${number(signals)} signals of 20,000 accounts`,
    steps: 1 + runs * rounds,
    needsServers: parts.includes('kafka'),
    measure: async (onStep, servers) => {
      const plans: Plan[] = []
      try {
        if (parts.includes('fold')) plans.push(planFold(signals))
        if (parts.includes('embedded')) plans.push(await planEmbedded(signals))
        if (parts.includes('kafka')) plans.push(await planKafka(servers!, signals, scorers))
        onStep(`made ${signals} signals`)
        const jobs = plans.flatMap(plan => plan.jobs)
        const results = jobs.map(({ title, type }) => ({ title, type, measurements: [] as Measurement[] }))
        // Runs all jobs in each round, so that a disturbance affects all of them.
        for (let round = 1; round <= rounds; round++) {
          for (const [i, job] of jobs.entries()) {
            results[i]!.measurements.push(await job.run())
            onStep(`${job.title}, round ${round}`)
          }
        }
        return { markdown: renderJobs(results, signals) }
      } finally {
        for (const plan of plans) await plan.cleanUp()
      }
    },
  }
}

function liveSection({ liveRates: rates, liveSeconds: seconds, threads }: Sizes, rounds: number): Section {
  return {
    title: 'Latency, from the sending of a signal to the change of tier in the hands of a reader',
    steps: rates.length * rounds,
    needsServers: true,
    measure: async (onStep, servers) => ({
      markdown: renderLive(await benchLive(servers!, { rates, seconds, rounds, threads }, onStep)),
    }),
  }
}

function curveSections({ curves, curveRounds: rounds, threads }: Sizes): Section[] {
  return curvesOf(curves).map(curve => ({
    title: curve.title,
    steps: stepsOfCurve(curve, rounds),
    needsServers: true,
    measure: async (onStep, servers) => {
      const measured = await measureCurve(servers!, curve, rounds, threads, onStep)
      return { markdown: renderCurve(measured), picture: { name: curve.id, svg: drawCurve(measured) } }
    },
  }))
}

function rebuildSection({ rebuild }: Sizes): Section {
  return {
    title: 'Rebuilding and replaying',
    steps: REBUILD_STEPS,
    needsServers: true,
    measure: async (onStep, servers) => ({
      markdown: renderRebuild(await benchRebuild(servers!, rebuild, onStep), rebuild),
    }),
  }
}

/** A program that can also be run by itself. */
function programSection(title: string, module: URL, words: readonly string[]): Section {
  return {
    title,
    steps: 1,
    needsServers: true,
    measure: async (onStep, servers) => {
      const { brokers, withRedis } = servers!
      const markdown = await withRedis(redis =>
        runProgram(module, ['--brokers', brokers.join(','), '--redis', redis, ...words]),
      )
      onStep(title)
      return { markdown }
    },
  }
}
