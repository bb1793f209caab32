import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Job, Measurement } from './jobs.ts'

/** Runs a job in a process of its own, with the flags that Node has here. @throws Error if it fails; it has said why. */
export function runInChild(job: Job): Promise<Measurement> {
  return forkForResult<Measurement>(new URL('./run-job.js', import.meta.url), job)
}

/**
 * Runs a compiled module in a process of its own, with `argument` as JSON on its command line. Returns the message that it sends.
 * @throws Error if it fails; it has said why
 */
export async function forkForResult<T>(
  module: URL,
  argument: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const child = fork(module, [JSON.stringify(argument)], {
    env: environment,
    // What it prints for people is not what is measured.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let result: T | undefined
  child.once('message', message => {
    result = message as T
  })
  const [code] = await once(child, 'exit')
  if (result === undefined || code !== 0) throw new Error(`${module.href} ended with exit code ${code}`)
  return result
}

/** Runs a compiled program, and returns what it prints. @throws Error if it fails; it has said why */
export async function runProgram(module: URL, words: readonly string[]): Promise<string> {
  const child = fork(module, words, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  let printed = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${module.href} ended with exit code ${code}`)
  return printed
}
