import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment } from '../../lib/lmdb-environment.ts'

const CLAIM_KEY = Buffer.from('consuming-process')

/**
 * The right to consume the environment; one process has it at a time. It is a row in LMDB and not a lock file: taking
 * it over is one transaction, and every commit checks it in its own.
 */
export interface ConsumingClaim {
  /** For the check of a write. @throws UpswellError LOG_FENCED: another process took the claim over. */
  requireHeld(): void
  /** Belongs into a read of the environment. */
  isHeld(): boolean
  release(): Promise<void>
}

interface ClaimRow {
  readonly token: string
  readonly pid: number
  readonly host: string
  /** Tells a process from an earlier one with the same pid, as in a container that was started again; null where the system does not say. */
  readonly startedAt: string | null
}

/** Whether some living process has the claim, this one too. Belongs into a read of the environment. */
export function isClaimed(environment: LmdbEnvironment): boolean {
  const holder = readClaim(environment)
  return holder !== undefined && isAlive(holder)
}

/**
 * Claims the environment for this process, also from a process that has died. One of another host or container is taken for
 * dead, since it cannot be asked: should it live, its next commit is refused.
 * @throws UpswellError LOG_FENCED: another process of this host has the claim and lives.
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
    `${who} consumes the data directory ${environment.directory}, and only one can. Stop it, or give one of the two a directory of its own.`,
  )
}

function readClaim(environment: LmdbEnvironment): ClaimRow | undefined {
  const bytes = environment.meta.get(CLAIM_KEY)
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as ClaimRow)
}

function isAlive(holder: ClaimRow): boolean {
  if (holder.host !== hostname() || !hasProcess(holder.pid)) return false
  if (holder.startedAt !== null) return holder.startedAt === startOf(holder.pid)
  // Where starts are not known, our own pid in a claim that we did not make is one that was used again.
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

/** Linux: the boot, and the clock tick since then at which the process began; null also for one that ended and was not waited for. */
function startOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // From the third field on: the second is the name, in parentheses, and may hold anything.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : `${boot}/${fields[19]}`
  } catch {
    return null
  }
}
