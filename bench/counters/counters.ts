import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { describeError } from '../../src/lib/errors.ts'
import { readModel } from '../signals/models.ts'
import {
  boundsFor,
  describeCounters,
  exceeded,
  readBounds,
  runningNode,
  writeBounds,
} from './counters-bounds.ts'
import { measureCounters } from './counters-measure.ts'

interface Options {
  readonly update?: true
}

function buildProgram(): Command {
  return new Command('upswell-bench-counters')
    .description('counts the cost of a signal and a batch, and compares it with bench/counters/bounds.json')
    .option('--update', 'write new bounds to bench/counters/bounds.json: the counts plus a little')
    .addHelpText('after', '\nThe tests do the same. Exits with 1 if a bound is exceeded.')
    .action(compare)
}

async function compare({ update }: Options): Promise<void> {
  const allocationFile = fileURLToPath(new URL('./counters-allocation.js', import.meta.url))
  const counters = await measureCounters(allocationFile, readModel('rolling-score'))
  if (update) writeBounds(boundsFor(counters, runningNode()))
  const bounds = readBounds()
  process.stdout.write(describeCounters(counters, bounds))
  const problems = exceeded(counters, bounds, runningNode())
  for (const problem of problems) process.stderr.write(`${problem}\n`)
  if (problems.length > 0) process.exitCode = 1
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench-counters: ${describeError(error)}\n`)
  process.exitCode = 1
}
