import { availableParallelism, loadavg } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { progressBar } from '../src/commands/progress-bar.ts'
import { describeError } from '../src/errors.ts'
import type { Measurement } from './jobs.ts'
import { PARTS, type Part, type Plan, preparePlan } from './plan.ts'
import { type JobResults, renderReport } from './report.ts'
import { runInChild } from './run-in-child.ts'

interface Options {
  readonly signals: number
  readonly rounds: number
  readonly only: readonly Part[]
  readonly brokers?: string
  readonly redis?: string
}

function buildProgram(): Command {
  return new Command('upswell-bench')
    .description('measures how many signals a second are scored, and what it takes; bench/README.md says how')
    .option('--signals <number>', 'signals of each run', positiveNumber, 200_000)
    .option('--rounds <number>', 'rounds of all jobs, one job after the other', positiveNumber, 3)
    .option('--only <parts>', `by comma, of ${PARTS.join(', ')}`, parts, PARTS)
    .option('--brokers <host:port,…>', 'the Kafka to use; KAFKA_BROKERS if left out')
    .option('--redis <url>', 'the Redis to use; REDIS_URL if left out')
    .addHelpText('after', '\nWithout a Kafka and a Redis it starts its own, which needs Java 17 and Maven.')
    .action(bench)
}

async function bench(options: Options): Promise<void> {
  const loadBefore = loadavg()[0]!
  const plan = await preparePlan(options)
  try {
    const results = await runRounds(plan, options.rounds)
    const machine = `Node ${process.version}, ${availableParallelism()} cores, load ${loadBefore.toFixed(1)} before and ${loadavg()[0]!.toFixed(1)} after`
    process.stdout.write(renderReport(results, { ...options, machine }))
  } finally {
    await plan.cleanUp()
  }
}

/** Round after round, so that a disturbance meets every job. */
async function runRounds({ jobs }: Plan, rounds: number): Promise<JobResults[]> {
  const results = jobs.map(({ title, type }) => ({ title, type, measurements: [] as Measurement[] }))
  const bar = progressBar('measuring', 'runs', rounds * jobs.length)
  for (let round = 0; round < rounds; round++) {
    for (const [i, job] of jobs.entries()) {
      const { prepared, discard } = await job.prepare()
      results[i]!.measurements.push(await runInChild(prepared))
      await discard()
      bar.update(round * jobs.length + i + 1)
    }
  }
  bar.stop()
  return results
}

function positiveNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 is accepted')
  return number
}

function parts(text: string): readonly Part[] {
  const named = text.split(',')
  const unknown = named.filter(name => !(PARTS as readonly string[]).includes(name))
  if (unknown.length > 0) throw new InvalidArgumentError(`some of ${PARTS.join(', ')} are accepted`)
  return PARTS.filter(part => named.includes(part))
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench: ${describeError(error)}\n`)
  process.exitCode = 1
}
