import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type Environment = Readonly<Record<string, string>>

/** A role of the real command line, in its own process. */
export interface RoleProcess {
  readonly pid: number
  /** Its base URL. */
  readonly url: string
  stop(): Promise<void>
}

const ANSWERS = /(http:\/\/\S+) answers \/livez/
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/**
 * Starts a role and returns when it prints its URL. `nodeFlags`, for example: `--cpu-prof`.
 * @throws Error if the role ends before that
 */
export async function startRole(
  role: 'score' | 'api',
  environment: Environment,
  nodeFlags: readonly string[] = [],
): Promise<RoleProcess> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [...nodeFlags, MAIN, role], {
    env: { PATH, HOME, UPSWELL_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      const found = ANSWERS.exec(line)?.[1]
      if (found !== undefined) resolve(found)
      else if (/"level":"(warn|error)"/.test(line)) process.stderr.write(`${role}: ${line}\n`)
    })
    ended.then(([code]) => reject(new Error(`upswell ${role} ended with exit code ${code}`)))
  })
  return { pid: child.pid!, url, stop: () => endProcess(child, ended) }
}

async function endProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await ended
}
