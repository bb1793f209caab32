import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Measurement } from './jobs.ts'

/** Runs a job in a process of its own, with the flags that Node has here. @throws Error if it fails; it has said why. */
export function runInChild(job: Job): Promise<Measurement> {
  return forkForResult<Measurement>('./run-job.js', job)
}

/**
 * Runs a module of this folder in a process of its own, with `argument` as JSON on its command line, and returns what it tells. Without
 * `environment` it has this one's.
 * @throws Error if it fails; it has said why
 */
export async function forkForResult<T>(
  module: string,
  argument: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [JSON.stringify(argument)], {
    env: environment,
    // What it prints for people is not what is measured.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let result: T | undefined
  child.once('message', message => {
    result = message as T
  })
  const [code] = await once(child, 'exit')
  if (result === undefined || code !== 0) throw new Error(`${module} ended with exit code ${code}`)
  return result
}

/** Runs a program of this folder, and returns what it prints. @throws Error if it fails; it has said why */
export async function runProgram(module: string, words: readonly string[]): Promise<string> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), words, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  let printed = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${module} ended with exit code ${code}`)
  return printed
}
