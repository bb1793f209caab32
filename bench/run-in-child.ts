import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Measurement } from './jobs.ts'

/** Runs a job in a process of its own, with the flags that Node has here. @throws Error if it fails; it has said why. */
export async function runInChild(job: Job): Promise<Measurement> {
  const child = fork(fileURLToPath(new URL('./run-job.js', import.meta.url)), [JSON.stringify(job)])
  let measurement: Measurement | undefined
  child.once('message', message => {
    measurement = message as Measurement
  })
  const [code] = await once(child, 'exit')
  if (measurement === undefined || code !== 0)
    throw new Error(`the job ${job.type} ended with exit code ${code}`)
  return measurement
}
