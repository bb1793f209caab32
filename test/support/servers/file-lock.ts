import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `work` while no other process runs its own under the same lock file. The lock only saves double work,
 * so `work` must not rely on it: two processes may take over a dead holder's lock at once, and each takes any
 * lock over after `timeoutMs`.
 */
export async function withFileLock(
  lockFile: string,
  timeoutMs: number,
  work: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await tryLock(lockFile))) {
    const isLate = performance.now() > deadline
    if (isLate || (await isHolderDead(lockFile))) await rm(lockFile, { force: true })
    else await sleep(100)
  }
  try {
    await work()
  } finally {
    await rm(lockFile, { force: true })
  }
}

/** Moves a folder; one that another process has put there first stays, and this one goes. */
export async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!isCoded(error, 'ENOTEMPTY') && !isCoded(error, 'EEXIST')) throw error
    await rm(from, { recursive: true, force: true })
  }
}

async function tryLock(lockFile: string): Promise<boolean> {
  try {
    await writeFile(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (isCoded(error, 'EEXIST')) return false
    throw error
  }
}

async function isHolderDead(lockFile: string): Promise<boolean> {
  const pid = Number(await readFile(lockFile, 'utf8').catch(() => ''))
  // Just created and not written yet, or just removed.
  if (pid === 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return isCoded(error, 'ESRCH')
  }
}

function isCoded(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
