import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs a compiled module in its own process, with `argument` as JSON on its command line. Returns the message
 * that it sends.
 * @throws Error if it fails, after it printed why
 */
export async function forkForResult<T>(
  module: URL,
  argument: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const child = fork(module, [JSON.stringify(argument)], {
    env: environment,
    // Hides its output for people; the measurement arrives as a message.
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

/**
 * Runs a compiled program and returns its output.
 * @throws Error if it fails, after it printed why
 */
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

/** Starts another compiled file of the bench. Its only argument is `argument` as JSON. */
export function startModule(module: URL, argument: unknown): ChildProcess {
  return fork(module, [JSON.stringify(argument)])
}
