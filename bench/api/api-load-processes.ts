import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type Environment = Readonly<Record<string, string>>

/** A role of the real command line, in a process of its own. */
export interface RoleProcess {
  readonly pid: number
  /** Where it answers. */
  readonly url: string
  stop(): Promise<void>
}

const ANSWERS = /(http:\/\/\S+) answers \/livez/
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/** Starts a role, and returns once it says where it answers. `nodeFlags`: `--cpu-prof`, for example. @throws Error if it ends before that */
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

/** Starts another file of the bench with one argument, as JSON. */
export function startPart(file: string, argument: unknown): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)])
}

async function endProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await ended
}

/** Linux: clock ticks of 10 ms, of all threads, in user and system mode. Undefined where there is no such process, or no /proc. */
export function cpuSecondsOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  try {
    const fields = statOf(pid)
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}

/** The process of this command among our own children: a server that was started for the bench. */
export function childNamed(command: string): number | undefined {
  try {
    return readdirSync('/proc')
      .map(Number)
      .find(pid => pid > 0 && Number(parentOf(pid)) === process.pid && nameOf(pid).includes(command))
  } catch {
    return undefined
  }
}

/** The fields behind the name, which may hold spaces: state, parent, … */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function parentOf(pid: number): string | undefined {
  try {
    return statOf(pid)[1]
  } catch {
    return undefined
  }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
}
