import type { Job, Measurement } from './jobs.ts'
import { runEmbedded } from './run-embedded.ts'
import { runFloor } from './run-floor.ts'
import { runFold } from './run-fold.ts'

/**
 * Runs one job once: `node --expose-gc dist/bench/jobs/run-job.js JOB`, where JOB is a `Job` as JSON. Sends
 * the measurement to the parent process, or prints it if there is none. Run it by hand with `--cpu-prof` to
 * get a profile.
 */
async function run(job: Job): Promise<Measurement> {
  switch (job.type) {
    case 'fold':
      return runFold(job)
    case 'embedded':
      return runEmbedded(job)
    case 'floor':
      return runFloor(job)
    default:
      return job satisfies never
  }
}

const measurement = await run(JSON.parse(process.argv[2]!) as Job)
if (process.send === undefined) process.stdout.write(`${JSON.stringify(measurement)}\n`)
else process.send(measurement, () => process.exit())
