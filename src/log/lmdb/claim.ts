import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment } from '../../lib/lmdb/lmdb-environment.ts'

const CLAIM_KEY = Buffer.from('consuming-process')

/**
 * The right to consume the environment, which one process has at a time. It is a row in LMDB, not a lock
 * file: a takeover is one transaction, and every commit checks the claim in its own transaction.
 */
export interface ConsumingClaim {
  /** For the check of a write. @throws UpswellError LOG_FENCED: another process has taken over the claim */
  requireHeld(): void
  /** Call it within a read of the environment. */
  isHeld(): boolean
  release(): Promise<void>
}

interface ClaimRow {
  readonly token: string
  readonly pid: number
  readonly host: string
  /**
   * Distinguishes a process from an earlier one with the same pid, as in a restarted container. Null: the
   * system does not provide it.
   */
  readonly startedAt: string | null
}

/** Whether a live process, possibly this one, has the claim. Call it within a read of the environment. */
export function isClaimed(environment: LmdbEnvironment): boolean {
  const holder = readClaim(environment)
  return holder !== undefined && isAlive(holder)
}

/**
 * Claims the environment for this process. It takes over the claim of a dead process. A process on another
 * host or in another container cannot be checked and counts as dead; if it lives, its next commit is refused.
 * @throws UpswellError LOG_FENCED: a live process on this host has the claim
 */
export async function claimConsuming(environment: LmdbEnvironment): Promise<ConsumingClaim> {
  const mine: ClaimRow = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    startedAt: startOf(process.pid),
  }
  await environment.write('LOG_UNAVAILABLE', {
    check: () => {
      const holder = readClaim(environment)
      if (holder !== undefined && isAlive(holder)) throw refusal(environment, holder)
    },
    apply: () => {
      environment.meta.put(CLAIM_KEY, Buffer.from(JSON.stringify(mine)))
    },
  })
  const isHeld = () => readClaim(environment)?.token === mine.token
  return {
    isHeld,
    requireHeld: () => {
      if (!isHeld()) throw refusal(environment, readClaim(environment))
    },
    release: () =>
      environment.write('LOG_UNAVAILABLE', {
        check: () => {},
        apply: () => {
          if (isHeld()) environment.meta.remove(CLAIM_KEY)
        },
      }),
  }
}

function refusal(environment: LmdbEnvironment, holder: ClaimRow | undefined): UpswellError {
  const who =
    holder === undefined
      ? 'Another process'
      : `Process ${holder.pid} on ${holder.host} (this is ${process.pid})`
  return new UpswellError(
    'LOG_FENCED',
    `${who} consumes the data directory ${environment.directory}, and only one process can. Stop it, or give one of the two its own directory.`,
  )
}

function readClaim(environment: LmdbEnvironment): ClaimRow | undefined {
  const bytes = environment.meta.get(CLAIM_KEY)
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as ClaimRow)
}

function isAlive(holder: ClaimRow): boolean {
  if (holder.host !== hostname() || !hasProcess(holder.pid)) return false
  if (holder.startedAt !== null) return holder.startedAt === startOf(holder.pid)
  // Start times are unknown here. Our own pid in a claim that we did not make was an earlier process's.
  return holder.pid !== process.pid
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Linux: the boot id and the process's start in clock ticks since boot. Null also for a zombie process. */
function startOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Starts at the third field: the second is the name in parentheses, which may contain anything.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : `${boot}/${fields[19]}`
  } catch {
    return null
  }
}
