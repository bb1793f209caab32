import { loadavg } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { positiveNumber } from '../src/commands/parse-option.ts'
import { progressBar } from '../src/commands/progress-bar.ts'
import { describeError } from '../src/lib/errors.ts'
import { type BenchServers, openBenchServers } from './machine/bench-servers.ts'
import { namedServices } from './machine/services.ts'
import { describeMachine, type FoundSection, writeResults } from './report/results-page.ts'
import {
  FULL,
  PARTS,
  type Part,
  peerSection,
  QUICK,
  type Section,
  type Sizes,
  sectionsOf,
} from './sections.ts'

interface Options {
  readonly full?: true
  readonly write?: true
  readonly peer?: string
  readonly signals?: readonly number[]
  readonly rounds: number
  readonly threads?: number
  readonly only?: readonly Part[]
  readonly liveSeconds?: number
  readonly brokers?: string
  readonly redis?: string
}

function buildProgram(): Command {
  return new Command('upswell-bench')
    .description('measures signals scored a second, and the cost; bench/README.md explains how')
    .option('--full', 'everything at full size, about two hours; writes bench/RESULTS.md and its pictures')
    .option('--write', 'write bench/RESULTS.md and its pictures without --full too')
    .option('--peer <folder>', 'compare with the Kafka Streams job in this folder; without --full, only that')
    .option(
      '--signals <numbers>',
      'signals of a run; with --peer several sizes, separated by commas',
      positiveNumbers,
    )
    .option('--rounds <number>', 'rounds; each runs all jobs in turn', positiveNumber, 3)
    .option(
      '--threads <number>',
      'threads that score in each process, in every row; default: as the row says, else 1',
      positiveNumber,
    )
    .option('--only <parts>', `parts to run, separated by commas: ${PARTS.join(', ')}`, parts)
    .option('--live-seconds <number>', 'seconds to measure each latency', positiveNumber)
    .option('--brokers <host:port,…>', 'the Kafka to use; default: KAFKA_BROKERS; not with --peer')
    .option('--redis <url>', 'the Redis to use; default: REDIS_URL; not with --peer')
    .addHelpText('after', '\nWithout a Kafka and a Redis it starts its own. This needs Java 17 and Maven.')
    .action(bench)
}

const PEER_SIGNALS = [1_000_000, 4_000_000]
const PEER_LIVE_SECONDS = 30

async function bench(options: Options): Promise<void> {
  const { full, write, peer } = options
  const loadBefore = loadavg()[0]!
  const sections = chooseSections(options)
  const found = await measureAll(sections, options)
  const machine = await describeMachine(loadBefore, loadavg()[0]!)
  const text = found.flatMap(({ title, markdown }) => [`${title}`, '', markdown.trimEnd(), ''])
  process.stdout.write(`${machine}\n\n${text.join('\n')}`)
  if (full || write) process.stdout.write(`\nWritten to ${await writeResults(found, machine)}\n`)
  if (peer !== undefined && found.some(({ isMissed }) => isMissed)) process.exitCode = 1
}

function chooseSections({ full, peer, signals, rounds, threads, only, liveSeconds }: Options): Section[] {
  const usual = full ? FULL : QUICK
  const parts = only ?? (peer === undefined || full ? PARTS : [])
  const sizes = {
    ...usual,
    signals: signals?.[0] ?? usual.signals,
    ...(threads === undefined ? {} : { threads, scorers: withThreads(usual.scorers, threads) }),
    liveSeconds: liveSeconds ?? usual.liveSeconds,
    curves: full && signals !== undefined ? scaledTo(usual.curves, signals[0]!) : usual.curves,
    curveRounds: Math.min(usual.curveRounds, rounds),
  }
  const paired =
    peer === undefined
      ? []
      : [
          peerSection({
            peer,
            signals: signals ?? PEER_SIGNALS,
            rounds,
            liveSeconds: liveSeconds ?? PEER_LIVE_SECONDS,
          }),
        ]
  return [...paired, ...sectionsOf(parts, sizes, rounds)]
}

/** Each number of processes once, with this number of threads. */
function withThreads(scorers: Sizes['scorers'], threads: number): Sizes['scorers'] {
  const processes = new Set(scorers.map(shape => shape.processes))
  return [...processes].map(many => ({ processes: many, threads }))
}

/** This many signals for each point. Leaves out backlogs that would take much longer. */
function scaledTo(curves: Sizes['curves'], signals: number): Sizes['curves'] {
  return { ...curves, signals, backlogs: curves.backlogs.filter(backlog => backlog <= 4 * signals) }
}

async function measureAll(sections: readonly Section[], named: Options): Promise<FoundSection[]> {
  const progress = benchProgress(sections.reduce((sum, { steps }) => sum + steps, 0))
  const found: FoundSection[] = []
  let servers: BenchServers | undefined
  try {
    for (const section of sections) {
      if (section.needsServers) servers ??= await openBenchServers(namedServices(named))
      found.push({ title: section.title, ...(await section.measure(progress.step, servers)) })
    }
    return found
  } finally {
    progress.stop()
    await servers?.stop()
  }
}

/** Progress of the bench: a bar on a terminal, else a line for each step, since it may run for an hour. */
interface BenchProgress {
  step(done: string): void
  stop(): void
}

function benchProgress(steps: number): BenchProgress {
  const beginMs = performance.now()
  const bar = progressBar('measuring', 'runs', steps)
  let done = 0
  return {
    step: text => {
      done++
      bar.update(done)
      if (process.stderr.isTTY) return
      const seconds = Math.round((performance.now() - beginMs) / 1000)
      process.stderr.write(`${seconds} s, ${done} of ${steps}: ${text}\n`)
    },
    stop: () => bar.stop(),
  }
}

function positiveNumbers(text: string): number[] {
  return text.split(',').map(positiveNumber)
}

function parts(text: string): readonly Part[] {
  const named = text.split(',')
  const unknown = named.filter(name => !(PARTS as readonly string[]).includes(name))
  if (unknown.length > 0) throw new InvalidArgumentError(`use some of ${PARTS.join(', ')}`)
  return PARTS.filter(part => named.includes(part))
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench: ${describeError(error)}\n`)
  process.exitCode = 1
}
