import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that a test started, and may kill. */
export type ServerProcess = {
  readonly port: number
  readonly pid: number
  /** Sends the signal; with SIGKILL, SIGTERM and SIGINT, resolves once the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Ends the process, if it still runs, and removes what it kept in the temporary directory. */
  stop(): Promise<void>
}

export type ServerCommand = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The server's own, made with `makeWorkDir`; removed when the server stops or this process dies. */
  readonly workDir: string
  readonly port: number
  readonly isReady: () => Promise<boolean>
  readonly readyTimeoutMs: number
  /** SIGKILL where nothing outlives the server, SIGTERM where its data does. */
  readonly stopSignal: 'SIGKILL' | 'SIGTERM'
}

const END_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT'])
const STOP_TIMEOUT_MS = 10_000

export function makeWorkDir(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `upswell-${name}-`))
}

/**
 * Starts a server and waits until it is ready.
 *
 * @throws Error with the end of the server's log, when it ends or is not ready after `readyTimeoutMs`
 */
export async function startServerProcess(server: ServerCommand): Promise<ServerProcess> {
  const logFile = join(server.workDir, 'server.log')
  const child = await spawnLogged(server, logFile)
  const guard = guardProcess(child, server.workDir)
  const stop = async (): Promise<void> => {
    child.ref()
    await endProcess(child, server.stopSignal)
    await guard.cleanUp()
  }

  const failure = await waitUntilReady(server, child)
  if (failure !== undefined) {
    const logEnd = await readLogEnd(logFile)
    await stop()
    throw new Error(`${server.name} did not come up: ${failure}. The end of its log:\n${logEnd}`)
  }
  return { port: server.port, pid: child.pid!, kill: signal => killProcess(child, signal), stop }
}

async function spawnLogged(server: ServerCommand, logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'a')
  try {
    const child = spawn(server.command, server.args, { stdio: ['ignore', log.fd, log.fd] })
    await once(child, 'spawn')
    // A server that a test forgot to stop must not hold this process open.
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

/**
 * A shell that outlives this process by a moment. Its standard input ends when this process does, however it
 * dies (SIGKILL, which no exit handler sees, included); then it kills the server and removes its files.
 */
function guardProcess(child: ChildProcess, workDir: string): { cleanUp(): Promise<void> } {
  const script = 'pid=$1; while read -r _; do pid=; done; [ -z "$pid" ] || kill -9 "$pid"; rm -rf "$2"'
  const guard = spawn('sh', ['-c', script, 'guard', String(child.pid), workDir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a process group of its own, Ctrl-C does not reach it.
    detached: true,
    // Without TMPDIR it is no process of the run, and outlives the run's end until it has done its work.
    env: { PATH: process.env['PATH'] },
  })
  const ended = once(guard, 'exit')
  guard.unref()
  // A line means "the process has ended": its id may by now be another's.
  const noteEnd = () => guard.stdin.write('ended\n')
  if (hasEnded(child)) noteEnd()
  else child.once('exit', noteEnd)
  return {
    async cleanUp() {
      guard.ref()
      guard.stdin.end()
      await ended
    },
  }
}

async function waitUntilReady(server: ServerCommand, child: ChildProcess): Promise<string | undefined> {
  const deadline = performance.now() + server.readyTimeoutMs
  while (performance.now() < deadline) {
    if (hasEnded(child)) return `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`
    if (await server.isReady()) return undefined
    await sleep(50)
  }
  return `it was not ready after ${server.readyTimeoutMs} ms`
}

async function killProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  if (!END_SIGNALS.has(signal)) return
  child.ref()
  await ended
}

async function endProcess(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (hasEnded(child)) return
  const forced = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const ended = killProcess(child, signal)
  // A process that a test had stopped with SIGSTOP takes a SIGTERM only once it runs again.
  child.kill('SIGCONT')
  await ended
  clearTimeout(forced)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function readLogEnd(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n')
  return lines.slice(-40).join('\n')
}
