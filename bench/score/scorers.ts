import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { monotonicMs } from '../machine/measure.ts'
import { cpuSecondsOf, peakRssBytesOf } from '../machine/process-usage.ts'
import type { ScorerCommand, ScorerMessage } from './watched-log.ts'

export interface ScorersOptions {
  readonly processes: number
  /** Threads that score in each process. */
  readonly threads: number
  /** Settings of `upswell score`. */
  readonly settings: Readonly<Record<string, string>>
  readonly partitions: number
}

/** Processes of the score role that own all partitions of a topic. */
export interface Scorers {
  /** Lets them begin. */
  begin(): void
  /** When the first of them took its first record, as `monotonicMs`; undefined before that. */
  firstRecordAtMs(): number | undefined
  /** CPU seconds of all processes since they were started. */
  cpuSeconds(): number
  /** The sum of each process's peak memory, bytes. */
  peakRssBytes(): number
  /** @throws Error if one of them ended by itself; its message says why */
  requireRunning(): void
  stop(): Promise<void>
}

/** Joining takes seconds. A group that has not settled after this long never will. */
const SETTLE_TIMEOUT_MS = 60_000
const LOOK_MS = 10

/**
 * Starts the processes. Waits until a thread has each partition and each thread has some.
 * @throws Error if that does not happen in time
 */
export async function startScorers({ processes, threads, ...rest }: ScorersOptions): Promise<Scorers> {
  const { partitions } = rest
  const settings = { ...rest.settings, UPSWELL_SCORE_THREADS: String(threads) }
  const scorers = Array.from({ length: processes }, () => startScorer(settings))
  const all: Scorers = {
    begin: () => {
      sendAll(scorers, 'begin')
    },
    firstRecordAtMs: () => {
      const times = scorers.map(scorer => scorer.firstRecordAtMs).filter(time => time !== undefined)
      return times.length === 0 ? undefined : Math.min(...times)
    },
    cpuSeconds: () => scorers.reduce((sum, { child }) => sum + cpuSecondsOf(child.pid!), 0),
    peakRssBytes: () => scorers.reduce((sum, { child }) => sum + peakRssBytesOf(child.pid!), 0),
    requireRunning: () => {
      for (const { child, failure } of scorers)
        if (failure !== undefined || child.exitCode !== null || child.signalCode !== null)
          throw new Error(
            `a scorer ended: ${failure ?? `exit code ${child.exitCode}, signal ${child.signalCode}`}`,
          )
    },
    stop: async () => {
      await Promise.all(scorers.map(({ child }) => end(child)))
    },
  }
  try {
    await until(
      'are not ready to join',
      () => scorers.every(({ held }) => held.size === threads),
      all.requireRunning,
    )
    sendAll(scorers, 'join')
    await until(
      `do not share the ${partitions} partitions`,
      () => isSettled(scorers, partitions),
      all.requireRunning,
    )
    return all
  } catch (error) {
    await all.stop()
    throw error
  }
}

interface Scorer {
  readonly child: ChildProcess
  /** The partitions of each member. A member that is not ready to join is missing. */
  readonly held: Map<number, Set<number>>
  firstRecordAtMs?: number
  failure?: string
}

function startScorer(settings: Readonly<Record<string, string>>): Scorer {
  const { PATH = '', HOME = '' } = process.env
  const child = fork(fileURLToPath(new URL('./score-process.js', import.meta.url)), {
    // Node flags as the product has them, not the bench's, unless someone wants a profile.
    execArgv: (process.env['UPSWELL_BENCH_SCORER_FLAGS'] ?? '').split(' ').filter(flag => flag !== ''),
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const scorer: Scorer = { child, held: new Map() }
  child.on('message', raw => {
    const message = raw as ScorerMessage
    switch (message.type) {
      case 'ready':
        scorer.held.set(message.member, new Set())
        break
      case 'assigned':
        scorer.held.get(message.member)!.add(message.partition)
        break
      case 'released':
        scorer.held.get(message.member)!.delete(message.partition)
        break
      case 'first-record':
        // Each thread reports its own.
        scorer.firstRecordAtMs = Math.min(scorer.firstRecordAtMs ?? message.atMs, message.atMs)
        break
      case 'failed':
        scorer.failure = message.message
        break
      default:
        message satisfies never
    }
  })
  return scorer
}

function sendAll(scorers: readonly Scorer[], command: ScorerCommand): void {
  for (const { child } of scorers) child.send(command)
}

async function until(problem: string, isSo: () => boolean, requireRunning: () => void): Promise<void> {
  const deadline = monotonicMs() + SETTLE_TIMEOUT_MS
  while (!isSo()) {
    requireRunning()
    if (monotonicMs() > deadline)
      throw new Error(`after ${SETTLE_TIMEOUT_MS / 1000} s the scorers ${problem}`)
    await sleep(LOOK_MS)
  }
}

/** Each partition has one owner, and no member is idle while there are enough partitions. */
function isSettled(scorers: readonly Scorer[], partitions: number): boolean {
  const members = scorers.flatMap(scorer => [...scorer.held.values()])
  const held = members.flatMap(partitions => [...partitions])
  const idle = members.filter(partitions => partitions.size === 0).length
  return (
    held.length === partitions &&
    new Set(held).size === partitions &&
    idle === Math.max(0, members.length - partitions)
  )
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const forced = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(forced)
}
