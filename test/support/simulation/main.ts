import { parseArgs } from 'node:util'
import { makePlan } from './plans/make-plan.ts'
import { shrinkPlan } from './plans/shrink-plan.ts'
import { runPlan } from './run-plan.ts'
import { CORRECT, type Wiring } from './wiring.ts'

const HELP = `Runs the score loop, ingest and recovery on a log and a store in memory, with faults, and checks the results.

npm run simulate -- [options]
  --seeds N       number of seeds to run (default 2000)
  --from N        the first seed (default 1)
  --seed N        runs only this seed
  --trace         prints all events (with --seed)
  --no-faults     runs the same plans without faults
  --mistake NAME  wires the loop with a mistake, one of ${Object.keys(CORRECT).join(', ')}
  --no-shrink     does not shrink a failing plan
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'no-faults': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    mistake: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const { mistake } = values
  if (mistake !== undefined && !(mistake in CORRECT)) {
    console.error(`--mistake ${mistake} is unknown; use one of ${Object.keys(CORRECT).join(', ')}`)
    return 2
  }
  const wiring: Wiring = mistake === undefined ? CORRECT : { ...CORRECT, [mistake]: true }
  const first = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  if (!Number.isInteger(first) || !Number.isInteger(count) || count < 1) {
    console.error('--seed, --seeds and --from take whole numbers')
    return 2
  }
  const sums = { steps: 0, outputs: 0, records: 0, comparedWithSlow: 0, checkpoints: 0, restores: 0 }
  const began = performance.now()
  for (let seed = first; seed < first + count; seed++) {
    const plan = makePlan(seed, values['no-faults'] ? 'none' : 'some')
    const trace = values.trace && count === 1 ? console.log : undefined
    const outcome = await runPlan(plan, wiring, trace)
    sums.steps += outcome.steps
    sums.outputs += outcome.outputs
    sums.records += outcome.records
    sums.comparedWithSlow += outcome.comparedWithSlow
    sums.checkpoints += outcome.checkpoints
    sums.restores += outcome.restores
    if (outcome.problems.length === 0) continue
    console.log(`seed ${seed} fails:\n  ${outcome.problems.slice(0, 8).join('\n  ')}`)
    if (!values['no-shrink']) {
      const smaller = await shrinkPlan(plan, wiring)
      console.log(`the smallest failing plan found:\n${JSON.stringify(smaller.plan, undefined, 1)}`)
      console.log(`  ${smaller.problems.slice(0, 8).join('\n  ')}`)
    }
    console.log(`run it again: npm run simulate -- --seed ${seed} --trace`)
    return 1
  }
  const seconds = (performance.now() - began) / 1000
  console.log(
    `${count} seeds passed: ${sums.steps} steps, ${sums.records} records, ${sums.outputs} outputs, ` +
      `${sums.comparedWithSlow} partitions compared with the slow evaluator, ${sums.checkpoints} checkpoints compared, ` +
      `${sums.restores} partitions restored from one, in ${seconds.toFixed(1)} s`,
  )
  return 0
}

process.exitCode = await main()
